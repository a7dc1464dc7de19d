//! What is said to a string that is refused, word for word.

use alloc::string::ToString;
use core::str::FromStr;

use crate::options::{ClientOptions, MAX_LENGTH, OptionsError, ServerOptions};

fn assert_refused<T: FromStr<Err = OptionsError> + core::fmt::Debug>(table: &[(&str, &str)]) {
    for (text, message) in table {
        assert_eq!(text.parse::<T>().unwrap_err().to_string(), *message, "{text}");
    }
}

#[test]
fn transports_that_are_unknown_are_listed_with_what_was_meant() {
    assert_refused::<ServerOptions>(&[
        ("tpc:port=5", "transport `tpc` is unknown, did you mean `tcp`?; allowed: npipe, tcp, com, spipe, ssl"),
        ("udp:port=5", "transport `udp` is unknown; allowed: npipe, tcp, com, spipe, ssl"),
        (":port=5", "transport `` is unknown; allowed: npipe, tcp, com, spipe, ssl"),
        ("gdb:server=h,port=5", "transport `gdb` is unknown; allowed: npipe, tcp, com, spipe, ssl"),
    ]);
    assert_refused::<ClientOptions>(&[(
        "http:server=h",
        "transport `http` is unknown; allowed: npipe, tcp, com, spipe, ssl, gdb",
    )]);
}

#[test]
fn parameters_that_are_unknown_misplaced_or_doubled_are_named() {
    const TCP: &str =
        "port, bind, ipversion, hidden, open, IcfEnable, password, password-file, password-env, linger, shell, stdio";
    const REVERSE: &str =
        "port, clicon, ipversion, reconnect, password, password-file, password-env, linger, shell, stdio";
    let cases = [
        ("tcp:prt=5", "tcp has no parameter `prt`, did you mean `port`?; allowed: ", TCP),
        ("tcp:port=5,colour=red", "tcp has no parameter `colour`; allowed: ", TCP),
        (
            "tcp:port=5,clicon=h,recconect",
            "tcp with clicon has no parameter `recconect`, did you mean `reconnect`?; allowed: ",
            REVERSE,
        ),
        ("tcp:port=5,baud=9600", "parameter `baud` does not belong to tcp; allowed: ", TCP),
        ("tcp:port=5,clicon=h,hidden", "parameter `hidden` does not belong to tcp with clicon; allowed: ", REVERSE),
        ("tcp:port=5,PORT=6", "parameter `port` of tcp is given twice; allowed: once", ""),
        ("tcp:hidden,hidden", "parameter `hidden` of tcp is given twice; allowed: once", ""),
    ];
    for (text, message, allowed) in cases {
        assert_eq!(text.parse::<ServerOptions>().unwrap_err().to_string(), message.to_string() + allowed);
    }
}

#[test]
fn parameters_that_are_missing_or_exclude_each_other_are_named() {
    assert_refused::<ServerOptions>(&[
        (
            "tcp:hidden",
            "parameter `port` of tcp is missing; allowed: 1 to 65535, a range LOW:HIGH, or 0 for any free port",
        ),
        ("com:port=2,baud=9600", "parameter `channel` of com is missing; allowed: 0 to 254"),
        (
            "ssl:proto=tls1,port=5",
            "parameter `certuser` or `machuser` of ssl is missing; \
             allowed: the name of a certificate, or the 40 or 64 hex digits of its thumbprint",
        ),
        (
            "ssl:proto=tls1,port=5,certuser=a,machuser=b",
            "parameters `certuser` and `machuser` of ssl exclude each other; allowed: one of them",
        ),
        (
            "tcp:port=5,password-file=f,password=x",
            "parameters `password-file` and `password` of tcp exclude each other; allowed: one of them",
        ),
        (
            "tcp:port=5,bind=::1,ipversion=6",
            "parameters `bind` and `ipversion` of tcp exclude each other; allowed: one of them",
        ),
    ]);
}

#[test]
fn values_that_are_wrong_are_repeated_with_what_is_allowed() {
    const PORTS: &str = "allowed: 1 to 65535, a range LOW:HIGH, or 0 for any free port";
    for (port, problem) in [
        ("70000", "is not a port"),
        ("-1", "is not a port"),
        ("+5", "is not a port"),
        ("5 ", "is not a port"),
        ("http", "is not a port"),
        ("60:51", "is a range that ends before it starts"),
        ("51:", "is not a range of ports"),
        (":60", "is not a range of ports"),
        ("0:60", "is not a range of ports"),
        ("51:60:70", "is not a range of ports"),
        ("51:65536", "is not a range of ports"),
    ] {
        let error = std::format!("tcp:port={port}").parse::<ServerOptions>().unwrap_err();
        assert_eq!(error.to_string(), std::format!("parameter `port` of tcp: `{port}` {problem}; {PORTS}"));
    }
    assert_refused::<ServerOptions>(&[
        (
            "tcp:port=51:60,clicon=h",
            "parameter `port` of tcp with clicon: `51:60` is not a single port; allowed: 1 to 65535",
        ),
        ("tcp:port=0,clicon=h", "parameter `port` of tcp with clicon: `0` is not a port; allowed: 1 to 65535"),
        ("tcp:port=5,ipversion=5", "parameter `ipversion` of tcp: `5` is not a version of IP; allowed: 4 or 6"),
        (
            "tcp:port=5,bind=localhost",
            "parameter `bind` of tcp: `localhost` is not an IP address; \
             allowed: an IPv4 or IPv6 address of this machine",
        ),
        (
            "tcp:port=5,linger=86401",
            "parameter `linger` of tcp: `86401` is not such a time; allowed: 0 to 86400 seconds",
        ),
        ("tcp:port=5,stdio=both", "parameter `stdio` of tcp: `both` is neither side; allowed: client or server"),
        (
            "com:port=0,baud=9600,channel=0",
            "parameter `port` of com: `0` is not a serial port; \
             allowed: COM1 to COM256, the number alone, or the absolute path of a device",
        ),
        (
            "com:port=1,baud=0,channel=0",
            "parameter `baud` of com: `0` is not a bit rate; allowed: a rate that the hardware has, such as 115200",
        ),
        ("com:port=1,baud=1,channel=255", "parameter `channel` of com: `255` is not a channel; allowed: 0 to 254"),
        (
            "npipe:pipe=a b",
            "parameter `pipe` of npipe: `a b` has a space; \
             allowed: a name of up to 247 bytes without spaces, quotation marks, slashes and backslashes, \
             with up to two codes such as %d, %x or %08x, and %% for a percent sign",
        ),
        (
            "npipe:pipe=p,mode=0888",
            "parameter `mode` of npipe: `0888` is not a file mode; allowed: an octal mode from 0 to 0777, such as 0660",
        ),
    ]);
    assert_refused::<ClientOptions>(&[
        (
            "gdb:server=h,port=5,threadEvents=TRUE",
            "parameter `threadEvents` of gdb: `TRUE` is neither; allowed: true or false",
        ),
        ("tcp:server=h,port=51:60", "parameter `port` of tcp: `51:60` is not a single port; allowed: 1 to 65535"),
        (
            "ssl:proto=tls1,server=h,port=5,thumbprint=beef",
            "parameter `thumbprint` of ssl: `beef` is not a thumbprint; \
             allowed: the 40 hex digits of a SHA-1 or the 64 of a SHA-256 thumbprint",
        ),
    ]);
}

#[test]
fn dead_protocols_are_refused_with_the_reason() {
    for (protocol, reason) in [
        ("ssl2", "is broken and prohibited by RFC 6176"),
        ("ssl3", "is broken and prohibited by RFC 7568"),
        ("pct1", "is a predecessor of TLS that no system supports any more"),
        ("tls1.1", "is deprecated by RFC 8996"),
        ("TLS1", "is not a protocol"),
        ("tls2", "is not a protocol"),
    ] {
        let error = std::format!("ssl:proto={protocol},certuser=c,port=5").parse::<ServerOptions>().unwrap_err();
        let expected = std::format!(
            "parameter `proto` of ssl: `{protocol}` {reason}; \
             allowed: tls1 for the best that both sides have, tls1.2, tls1.3"
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_value_is_given_where_it_is_needed_and_only_there() {
    assert_refused::<ServerOptions>(&[
        (
            "tcp:port=",
            "parameter `port` of tcp: no value is given; \
             allowed: 1 to 65535, a range LOW:HIGH, or 0 for any free port",
        ),
        (
            "tcp:port=\"\"",
            "parameter `port` of tcp: no value is given; \
             allowed: 1 to 65535, a range LOW:HIGH, or 0 for any free port",
        ),
        ("com:port=1,baud=1,channel", "parameter `channel` of com: no value is given; allowed: 0 to 254"),
        (
            "tcp:port=5,password=",
            "parameter `password` of tcp: no value is given; \
             allowed: 1 to 128 bytes, in double quotes where there is a comma",
        ),
        (
            "tcp:port=5,hidden=yes",
            "parameter `hidden` of tcp: `yes` is a value where none is taken; allowed: the name alone",
        ),
        (
            "tcp:port=5,hidden=",
            "parameter `hidden` of tcp: `=` follows a parameter that takes no value; allowed: the name alone",
        ),
    ]);
}

#[test]
fn a_password_is_never_repeated() {
    let long = std::format!("tcp:port=5,password={}", "Secret1".repeat(20));
    assert_refused::<ServerOptions>(&[
        (
            "tcp:port=5,password=Secret,1",
            "what follows the comma after `password` is no parameter of tcp; \
             allowed: password=\"...\" for one that has a comma",
        ),
        (
            &long,
            "parameter `password` of tcp: `***` is too long; \
             allowed: 1 to 128 bytes, in double quotes where there is a comma",
        ),
        (
            "tcp:port=5;password=Secret1",
            "parameter `port` of tcp: `5;password=***` is not a port; \
             allowed: 1 to 65535, a range LOW:HIGH, or 0 for any free port",
        ),
    ]);
}

#[test]
fn a_string_that_is_too_long_is_refused_unread() {
    let text = "x".repeat(MAX_LENGTH + 1);
    assert_refused::<ServerOptions>(&[(&text, "the connection string is 8193 bytes long; allowed: up to 8192")]);
}
