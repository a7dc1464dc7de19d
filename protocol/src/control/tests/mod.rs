//! The control protocol: what messages look like, what is no message, pages.

mod codec;
mod page;
mod strategy;
mod vectors;
