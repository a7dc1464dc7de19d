//! What differs between processors.
