//! Tests of whole connection strings.

mod admission;
mod client_strings;
mod errors;
mod round_trip;
mod server_strings;
