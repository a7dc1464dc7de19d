//! Turns a parsed connection string into a listener or a stream.
