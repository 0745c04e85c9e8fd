//! Errors of the arguments, with what to do about them.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Exit, synonyms};

/// clap's message about `arguments`, beginning like every other one here; for an unknown flag, a message of this crate.
pub(super) fn exit(error: &clap::Error, command: &Command, arguments: &[OsString]) -> Exit {
    let text = error.render().to_string();
    match (error.kind(), with_one_dash(command, arguments)) {
        (ErrorKind::DisplayHelp | ErrorKind::DisplayVersion, _) => Exit::done(text.trim_end()),
        (_, Some(flag)) => Exit::usage(format!(
            "`-{flag}` begins with one dash\n  did you mean `--{flag}`?"
        )),
        (ErrorKind::UnknownArgument, None) => Exit::usage(unknown(error, command, arguments)),
        // After a directory's name every other one is taken for something to do instead of serving.
        (ErrorKind::ArgumentConflict, None)
            if error.get(ContextKind::InvalidSubcommand).is_some() =>
        {
            Exit::usage(unknown(error, command, arguments))
        }
        _ => Exit::usage(text.strip_prefix("error: ").unwrap_or(&text).trim_end()),
    }
}

/// A flag that is written as Go's programs have it, `-port`, of which clap reads the first letter alone.
fn with_one_dash<'a>(command: &Command, arguments: &'a [OsString]) -> Option<&'a str> {
    let arguments = arguments.iter().filter_map(|argument| argument.to_str());
    let names = arguments.filter_map(|argument| argument.strip_prefix('-')?.split('=').next());
    let is_flag = |name: &str| {
        let mut flags = command.get_arguments().filter_map(clap::Arg::get_long);
        name.len() > 1 && flags.any(|flag| flag == name)
    };
    names.into_iter().find(|name| is_flag(name))
}

/// clap offers to pass an unknown flag as a directory's name, which is never meant.
fn unknown(error: &clap::Error, command: &Command, arguments: &[OsString]) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
        _ => None,
    };
    let argument = context(ContextKind::InvalidSubcommand)
        .or(context(ContextKind::InvalidArg))
        .unwrap_or_default();
    let hint = match argument.starts_with('-') {
        true => synonyms::hint(argument, command),
        false => match flag_before(argument, command, arguments) {
            Some(flag) => {
                format!("a value for `{flag}` follows an equals sign: `{flag}={argument}`")
            }
            None => "name one directory; `sockeye --help` lists the flags".to_owned(),
        },
    };
    format!("unexpected argument `{argument}`\n  {hint}")
}

/// The flag before `value` that takes one after an equals sign only.
fn flag_before<'a>(value: &str, command: &Command, arguments: &'a [OsString]) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == value)?;
    let flag = arguments.get(at.checked_sub(1)?)?.to_str()?;
    let long = flag.strip_prefix("--")?;
    let mut flags = command.get_arguments();
    let found = flags.find(|flag| flag.get_long() == Some(long))?;
    found.is_require_equals_set().then_some(flag)
}
