//! Objects that a client reads whole: `qXfer`.
