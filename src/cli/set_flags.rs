//! Which flags are set, for the greeting.

use clap::ArgMatches;
use clap::parser::{RawValues, ValueSource};

/// The flags that are set, by name: a value may be a secret, and the operator knows it. Those about addresses and the
/// log are left out, since their effect is seen anyway.
pub(super) fn set_flags(command: &clap::Command, matches: &ArgMatches) -> Vec<String> {
    let source = |flag: &clap::Arg| matches.value_source(flag.get_id().as_str());
    let flags = command
        .get_arguments()
        .filter(|flag| flag.get_help_heading().is_some());
    let names = flags.filter_map(|flag| {
        let long = flag.get_long()?;
        match source(flag)? {
            ValueSource::CommandLine => Some(format!("--{long}")),
            ValueSource::EnvVariable
                if matches.get_raw(flag.get_id().as_str()).is_some_and(is_set) =>
            {
                Some(format!("--{long} (from {})", flag.get_env()?.to_str()?))
            }
            _ => None,
        }
    });
    names.collect()
}

/// Whether a variable sets its flag: `SOCKEYE_HIDDEN=0` does not.
fn is_set(mut values: RawValues<'_>) -> bool {
    values.any(|value| {
        !matches!(
            value.to_str(),
            Some("" | "0" | "n" | "no" | "f" | "false" | "off")
        )
    })
}
