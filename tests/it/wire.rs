//! HTTP/1.1 as bytes, from outside: what is generated is heard, and another server hears the same.

mod differential;
mod peer;
mod requests;
