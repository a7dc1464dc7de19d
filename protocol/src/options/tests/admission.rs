//! Which parameters each transport needs, admits and refuses.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::{Debug, Display};
use core::str::FromStr;
use std::format;

use crate::options::{ClientOptions, OptionsError, Parameter, ServerOptions};

/// One column of the reference's table of parameters: what is needed, and what may be given besides.
struct Column {
    transport: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

const SERVER: &[Column] = &[
    Column {
        transport: "npipe",
        required: &["pipe=p"],
        optional: &["hidden", "password=x", "IcfEnable", "mode=0660", "group=dbg", "linger=5", "shell", "stdio=client"],
    },
    Column {
        transport: "tcp",
        required: &["port=5"],
        optional: &[
            "hidden",
            "password=x",
            "ipversion=6",
            "IcfEnable",
            "bind=::1",
            "open",
            "linger=5",
            "shell",
            "stdio=client",
        ],
    },
    Column {
        transport: "tcp",
        required: &["port=5", "clicon=h"],
        optional: &["password=x", "ipversion=6", "reconnect", "linger=5", "shell", "stdio=client"],
    },
    Column {
        transport: "com",
        required: &["port=COM5", "baud=9600", "channel=0"],
        optional: &["hidden", "password=x", "linger=5", "shell", "stdio=client"],
    },
    Column {
        transport: "spipe",
        required: &["proto=tls1", "certuser=c", "pipe=p"],
        optional: &[
            "hidden",
            "password=x",
            "mode=0660",
            "group=dbg",
            "clientca=f",
            "linger=5",
            "shell",
            "stdio=client",
        ],
    },
    Column {
        transport: "ssl",
        required: &["proto=tls1", "certuser=c", "port=5"],
        optional: &["hidden", "password=x", "bind=::1", "open", "clientca=f", "linger=5", "shell", "stdio=client"],
    },
    Column {
        transport: "ssl",
        required: &["proto=tls1", "machuser=c", "port=5", "clicon=h"],
        optional: &["password=x", "reconnect", "clientca=f", "linger=5", "shell", "stdio=client"],
    },
];

const CLIENT: &[Column] = &[
    Column { transport: "npipe", required: &["server=h", "pipe=p"], optional: &["password=x"] },
    Column { transport: "tcp", required: &["server=h", "port=5"], optional: &["password=x", "ipversion=6"] },
    Column {
        transport: "tcp",
        required: &["clicon=h", "port=5"],
        optional: &["password=x", "ipversion=6", "bind=::1"],
    },
    Column { transport: "com", required: &["port=COM5", "baud=9600", "channel=0"], optional: &["password=x"] },
    Column {
        transport: "spipe",
        required: &["proto=tls1", "server=h", "pipe=p"],
        optional: &["certuser=c", "machuser=c", "cafile=f", "password=x"],
    },
    Column {
        transport: "ssl",
        required: &["proto=tls1", "server=h", "port=5"],
        optional: &["certuser=c", "machuser=c", "cafile=f", "password=x"],
    },
    Column {
        transport: "ssl",
        required: &["proto=tls1", "clicon=h", "port=5"],
        optional: &["certuser=c", "machuser=c", "cafile=f", "password=x", "bind=::1"],
    },
    Column { transport: "gdb", required: &["server=h", "port=5"], optional: &["threadEvents=true"] },
];

/// The groups of parameters that exclude each other, so that where one is admitted all that the end has are.
const ALTERNATIVES: &[&[&str]] =
    &[&["certuser", "machuser"], &["password", "password-file", "password-env"], &["cafile", "thumbprint"]];

fn name(parameter: &str) -> &str {
    parameter.split('=').next().unwrap()
}

impl Column {
    fn string(&self, parameters: &[&str]) -> std::string::String {
        format!("{}:{}", self.transport, parameters.join(","))
    }

    fn admits(&self, parameter: &str) -> bool {
        let admitted = || self.required.iter().chain(self.optional).map(|given| name(given));
        let group = ALTERNATIVES.iter().find(|group| group.contains(&parameter));
        admitted().any(|given| given == parameter || group.is_some_and(|group| group.contains(&given)))
    }

    fn check<T: FromStr<Err = OptionsError> + Display + Debug + PartialEq>(&self) {
        let parse = |parameters: &[&str]| self.string(parameters).parse::<T>();
        let minimal = parse(self.required).unwrap();
        assert_eq!(minimal.to_string().parse(), Ok(minimal));
        for left_out in self.required.iter().filter(|parameter| name(parameter) != "clicon") {
            let rest: Vec<_> = self.required.iter().copied().filter(|given| given != left_out).collect();
            if !rest.is_empty() {
                assert!(matches!(parse(&rest), Err(OptionsError::Missing { .. })), "{rest:?}");
            }
        }
        for optional in self.optional {
            let options = parse(&[self.required, &[optional]].concat()).unwrap();
            assert!(options.to_string().contains(optional), "{options}");
        }
        for parameter in Parameter::ALL.iter().filter(|parameter| **parameter != Parameter::Clicon) {
            let result = parse(&[self.required, &[parameter.name()]].concat());
            let misplaced = matches!(result, Err(OptionsError::Misplaced { .. }));
            assert_eq!(misplaced, !self.admits(parameter.name()), "{} {parameter}: {result:?}", self.transport);
        }
    }
}

#[test]
fn a_server_takes_the_parameters_of_its_transport_and_no_others() {
    SERVER.iter().for_each(Column::check::<ServerOptions>);
}

#[test]
fn a_client_takes_the_parameters_of_its_transport_and_no_others() {
    CLIENT.iter().for_each(Column::check::<ClientOptions>);
}

#[test]
fn reverse_connections_are_for_tcp_and_ssl_alone() {
    for text in ["npipe:pipe=p,clicon=h", "com:port=1,baud=1,channel=0,clicon=h", "spipe:proto=tls1,pipe=p,clicon=h"] {
        assert!(matches!(text.parse::<ServerOptions>(), Err(OptionsError::Misplaced { .. })), "{text}");
    }
    assert!(matches!("gdb:clicon=h,port=5".parse::<ClientOptions>(), Err(OptionsError::Misplaced { .. })));
}
