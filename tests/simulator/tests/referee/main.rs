//! The simulated providers as a referee for the plugin: they take every request that it shapes, and
//! what it marks by itself is found again as well as what a perfect client marks.

mod agent;
mod hits;
mod pains;
mod requests;
mod server;
