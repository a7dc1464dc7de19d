//! Two links and a line, good and bad.

mod channels;
mod errors;
mod lives;
mod model;
mod shared;
mod speed;
mod vectors;
