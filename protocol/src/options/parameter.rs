//! The parameters of all transports, of both ends.

names! {
    /// The name of a parameter.
    pub enum Parameter {
        /// The name of a pipe.
        Pipe = "pipe",
        /// A TCP port, a range of them, or a serial port.
        Port = "port",
        /// The other end's machine, in a reverse connection.
        Clicon = "clicon",
        /// The server's machine.
        Server = "server",
        /// The bit rate of a serial line.
        Baud = "baud",
        /// The channel on a serial line.
        Channel = "channel",
        /// The TLS version.
        Proto = "proto",
        /// A certificate in the user's store.
        CertUser = "certuser",
        /// A certificate in the machine's store.
        MachUser = "machuser",
        /// The authorities that clients' certificates must come from.
        ClientCa = "clientca",
        /// The authorities that the server's certificate must come from.
        CaFile = "cafile",
        /// The server's certificate itself.
        Thumbprint = "thumbprint",
        /// The local address to listen on.
        Bind = "bind",
        /// IPv4 or IPv6 only.
        IpVersion = "ipversion",
        /// Flag: not shown by discovery.
        Hidden = "hidden",
        /// Flag: serve other machines without a password.
        Open = "open",
        /// Flag: open the port in the firewall.
        IcfEnable = "IcfEnable",
        /// Flag: dial out again after the connection broke.
        Reconnect = "reconnect",
        /// Access bits of the pipe.
        Mode = "mode",
        /// The group that owns the pipe.
        Group = "group",
        /// The password itself.
        Password = "password",
        /// A file that holds the password.
        PasswordFile = "password-file",
        /// An environment variable that holds the password.
        PasswordEnv = "password-env",
        /// How long a session outlives its connection.
        Linger = "linger",
        /// Flag: clients may run shell commands.
        Shell = "shell",
        /// Where programs that sessions start write to.
        Stdio = "stdio",
        /// Whether gdbserver is to report threads as they start and exit.
        ThreadEvents = "threadEvents",
    }
}
