use super::*;

const CONNECTION: &str = "tcp:server=box17,port=5005";

fn parse_line(line: &str, variable: Option<&str>) -> Result<Request, ExitError> {
    parse(line.split(' ').map(OsString::from), variable.map(Into::into))
}

fn invocation(line: &str, variable: Option<&str>) -> Invocation {
    match parse_line(line, variable).unwrap() {
        Request::Run(invocation) => *invocation,
        other => panic!("{other:?}"),
    }
}

fn printed(line: &str) -> String {
    match parse_line(line, None).unwrap() {
        Request::Print(text) => text,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn the_definition_of_the_command_line_is_consistent() {
    command().debug_assert();
}

#[test]
fn the_connection_comes_first_or_from_the_environment() {
    let other = "tcp:server=box18,port=1";
    for (line, variable, connection) in [
        (format!("premote {CONNECTION} ps"), None, CONNECTION),
        (format!("premote {CONNECTION} ps"), Some(other), CONNECTION),
        ("premote ps".into(), Some(other), other),
    ] {
        assert_eq!(invocation(&line, variable).connection.to_string(), connection, "{line}");
    }
}

#[test]
fn a_connection_need_not_be_given_for_what_needs_none() {
    for (line, part) in [
        ("premote --help", "Examples:"),
        ("premote -h", "Examples:"),
        ("premote --version", "premote 0."),
        ("premote -V", "premote 0."),
        ("premote gdb --help", "Examples:"),
        ("premote help gdb", "Examples:"),
        ("premote completions bash", "_premote()"),
        ("premote completions zsh", "#compdef premote"),
        ("premote completions fish", "complete -c premote"),
    ] {
        assert!(printed(line).contains(part), "{line}: {}", printed(line));
    }
}

#[test]
fn errors_name_the_option_what_was_given_and_what_is_allowed() {
    let cases = [
        ("premote", &["Usage", "COMMAND", "completions"] as &[_]),
        ("premote pss", &["COMMAND", "`pss`", "ps, describe"]),
        ("premote tcp:server=a,port=1", &["COMMAND"]),
        ("premote tcp:server=a,port=1 pss", &["pss"]),
        ("premote ps", &["CONNECTION", "DBGSRV_CONNECTION", "tcp:server="]),
        ("premote box17:5005 ps", &["`box17:5005`", "tcp:server=box17,port=5005"]),
        ("premote nowhere ps", &["CONNECTION", "TRANSPORT:NAME=VALUE"]),
        ("premote tcp:server=a,port=70000 ps", &["CONNECTION", "port", "70000", "65535"]),
        ("premote tcp:server=a,port=1 describe", &["<PID>"]),
        ("premote tcp:server=a,port=1 describe me", &["PID", "'me'", "not a number that"]),
        ("premote tcp:server=a,port=1 gdb -p 1 -n app", &["--pid", "--name"]),
        ("premote tcp:server=a,port=1 gdb ./app", &["./app"]),
        ("premote tcp:server=a,port=1 listen 5005", &["5005", "HOST:PORT or unix:PATH"]),
        ("premote tcp:server=a,port=1 run", &["<PROGRAM>"]),
        ("premote tcp:server=a,port=1 run --env A -- app", &["--env", "`A`", "NAME=VALUE"]),
        ("premote tcp:server=a,port=1 put app", &["<REMOTE>"]),
        ("premote completions tcsh", &["tcsh", "bash", "zsh", "fish"]),
    ];
    for (line, parts) in cases {
        let error = parse_line(line, None).unwrap_err();
        assert_eq!(error.status(), 2, "{line}");
        for part in parts {
            assert!(error.to_string().contains(part), "{line}: {error}");
        }
    }
}

#[test]
fn a_mistake_in_the_environment_is_named_as_such() {
    let error = parse_line("premote ps", Some("tcp:server=a")).unwrap_err().to_string();
    assert!(error.contains("DBGSRV_CONNECTION: ") && error.contains("port"), "{error}");
}

#[test]
fn no_message_repeats_a_password() {
    for line in [
        "premote tcp:server=a,port=x,password=Secret1 ps",
        "premote tcp:server=a,port=1,password=Secret1",
        "premote tcp:server=a,port=1,password=Secret1 pss",
        "premote tcp:server=a,port=1;password=Secret1 ps",
        "premote ps tcp:server=a,port=1,password=Secret1",
        "premote gdb tcp:server=a,port=1,password=Secret1 ps",
        "premote password=Secret1",
        "premote password=Secret1 ps",
        "premote npipe:password=Secret1 ps",
        "premote --tcp:server=a,password=Secret1 ps",
    ] {
        let error = parse_line(line, None).unwrap_err();
        assert!(!error.to_string().contains("Secret1"), "{line}: {error}");
    }
    let error = parse_line("premote ps", Some("tcp:server=a,password=Secret1")).unwrap_err();
    assert!(!error.to_string().contains("Secret1"), "{error}");
}

#[test]
fn the_options_of_dbgsrv_s_clients_are_known_in_front_of_the_debuggers_arguments() {
    let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
    for (options, spelled) in [
        ("-pn nginx", "-n nginx"),
        ("-pb -psn nginx", "--go --service nginx"),
        ("-pr -p 7", "--go -p 7"),
        ("-cimp", "--implicit"),
    ] {
        let line = |options: &str| words(&format!("premote {CONNECTION} gdb {options} -- -pn -pb"));
        assert_eq!(spell_out(&line(options)), line(spelled));
        assert!(parse(line(options).into_iter(), None).is_ok(), "{options}");
    }
    for refused in ["-pb", "-p 7 -cimp", "-p 7 -pn nginx", "-pb -cimp"] {
        let error = parse(words(&format!("premote {CONNECTION} gdb {refused}")).into_iter(), None).unwrap_err();
        assert_eq!(error.status(), 2, "{refused}");
    }
}

#[test]
fn a_program_keeps_its_arguments_and_gets_its_surroundings() {
    let line = format!("premote {CONNECTION} run --suspended --cwd /srv --env A=1 --env B= -- app -v --cwd /");
    let Action::Run(run) = invocation(&line, None).action else { panic!("another command") };
    let program = run.program();
    assert_eq!(program.arguments, ["app", "-v", "--cwd", "/"]);
    assert_eq!(program.directory.as_deref(), Some("/srv"));
    assert_eq!(program.environment, ["A=1", "B="]);
    assert!(program.suspended);
}

#[test]
fn verbosity_stands_anywhere_before_the_debuggers_arguments() {
    let verbose = |line: &str| invocation(&format!("premote {line}"), Some(CONNECTION)).verbose;
    assert_eq!(verbose("ps"), 0);
    assert_eq!(verbose("-v ps"), 1);
    assert_eq!(verbose("ps -vv"), 2);
    assert_eq!(verbose("gdb -- -v"), 0);
}

/// The help of premote and of each command, as it stands in `help.txt`. Where it is meant to change, the failure shows the
/// text to put there.
#[test]
fn the_help_is_as_reviewed() {
    let mut help = format!("$ premote --help\n{}", printed("premote --help"));
    for command in commands::all() {
        let line = format!("premote {} --help", command.get_name());
        help.extend(["\n$ ", &line, "\n", &printed(&line)]);
    }
    assert!(help == include_str!("help.txt"), "help.txt is to be:\n{help}");
}

#[test]
fn the_manual_and_the_guide_have_each_command_and_each_option() {
    let manual = include_str!("../../../../../docs/man/premote.1");
    let guide = include_str!("../../../../../docs/premote.md");
    for command in commands::all() {
        let name = command.get_name();
        assert!(manual.contains(&format!("\n.It Ic {name}")), "the manual lacks {name}");
        assert!(guide.contains(&format!("premote {name}")), "the guide lacks {name}");
        for option in command.get_arguments().filter_map(|argument| argument.get_long()) {
            let macro_name = option.replace('-', "\\-");
            let has = manual.contains(&format!("Fl Fl {option}")) || manual.contains(&format!("Fl Fl {macro_name}"));
            assert!(has, "the manual lacks --{option} of {name}");
        }
    }
}

/// The words of a shell's command line, up to its comment, or to where something else takes its output.
fn shell_words(line: &str) -> Vec<String> {
    // What is between two quotation marks is at the odd places, and is one word with what touches it.
    let mut words = vec![String::new()];
    for (number, part) in line.split('\'').enumerate() {
        let mut pieces = part.split(if number % 2 == 0 { ' ' } else { '\0' });
        words.last_mut().unwrap().push_str(pieces.next().unwrap_or_default());
        words.extend(pieces.map(str::to_owned));
    }
    words.retain(|word| !word.is_empty());
    let end = words.iter().position(|word| ["#", "|", ">"].contains(&word.as_str())).unwrap_or(words.len());
    words.truncate(end);
    words
}

#[test]
fn each_example_of_the_documents_is_a_command_line() {
    let mut count = 0;
    for document in [
        include_str!("../../../../../docs/guide.md"),
        include_str!("../../../../../docs/premote.md"),
        include_str!("../../../../../README.md"),
    ] {
        let lines = document.lines().map(|line| line.trim_start().trim_start_matches("$ "));
        for line in lines.filter(|line| line.starts_with("premote ") && !line.starts_with("premote gdb -p $(")) {
            let line = line.replace("SHA256", &"ab".repeat(32));
            let read = parse(shell_words(&line).into_iter().map(OsString::from), Some(CONNECTION.into()));
            assert!(read.is_ok(), "{line}: {}", read.unwrap_err());
            count += 1;
        }
    }
    assert!(count > 60, "{count}");
}
