//! Errors of the arguments, with what to do about them.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Exit;

/// clap's message, beginning like every other one here; for an unknown flag, a message of this crate.
pub(super) fn exit(error: &clap::Error) -> Exit {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::done(text.trim_end()),
        ErrorKind::UnknownArgument => Exit::usage(unknown(error)),
        // After a directory's name every other one is taken for something to do instead of serving.
        ErrorKind::ArgumentConflict if error.get(ContextKind::InvalidSubcommand).is_some() => {
            Exit::usage(unknown(error))
        }
        _ => Exit::usage(text.strip_prefix("error: ").unwrap_or(&text).trim_end()),
    }
}

/// clap offers to pass an unknown flag as a directory's name, which is never meant.
fn unknown(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
        _ => None,
    };
    let argument = context(ContextKind::InvalidSubcommand)
        .or(context(ContextKind::InvalidArg))
        .unwrap_or_default();
    let hint = match context(ContextKind::SuggestedArg) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if argument.starts_with('-') => {
            "`sockeye --help` lists the flags there are".to_owned()
        }
        None => "name one directory; `sockeye --help` lists the flags".to_owned(),
    };
    format!("unexpected argument `{argument}`\n  {hint}")
}
