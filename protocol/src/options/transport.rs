//! The transports.

names! {
    /// What carries the bytes: the word before the colon.
    pub enum Transport {
        /// A named pipe; on Unix a Unix-domain socket.
        NamedPipe = "npipe",
        /// TCP.
        Tcp = "tcp",
        /// A serial line.
        Serial = "com",
        /// TLS over a named pipe.
        SecurePipe = "spipe",
        /// TLS over TCP.
        Ssl = "ssl",
        /// A gdbserver at a TCP port, which speaks RSP only. For clients.
        Gdb = "gdb",
    }
}
