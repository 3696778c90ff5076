//! What Warmpath promises to everybody, in real Envoy. Each promise is a test of its name.

mod bytes;
mod conduct;
mod reading;
mod trust;
