//! Which flags are set, for the greeting.

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches};

/// The flags that are set, by name: a value may be a secret, and the operator knows it. Those about addresses and the
/// log are left out, since their effect is seen anyway.
pub(super) fn set_flags(command: &clap::Command, matches: &ArgMatches) -> Vec<String> {
    let flags = command
        .get_arguments()
        .filter(|flag| flag.get_help_heading().is_some());
    let names = flags.filter_map(|flag| {
        let (id, long) = (flag.get_id().as_str(), flag.get_long()?);
        let is_off = matches!(flag.get_action(), ArgAction::SetTrue) && !matches.get_flag(id);
        match matches.value_source(id)? {
            // `SOCKEYE_HIDDEN=0` does not set it.
            _ if is_off => None,
            ValueSource::CommandLine => Some(format!("--{long}")),
            ValueSource::EnvVariable => {
                Some(format!("--{long} (from {})", flag.get_env()?.to_str()?))
            }
            _ => None,
        }
    });
    names.collect()
}
