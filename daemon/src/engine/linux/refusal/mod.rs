//! Why the kernel said no.
