//! The integration tests: one binary, its modules named after what they look at.

mod files;
