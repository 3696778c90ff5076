mod answers;
mod streams;
