//! Text for people, terminals, pages and JSON: numbers, times, escapes and templates (pure).

mod escape;
mod number;
mod template;
mod time;

pub(crate) use escape::{printable, push_html, push_json};
pub(crate) use number::{decimal, size};
pub(crate) use template::{LOOK, Template};
pub(crate) use time::{Utc, duration};
