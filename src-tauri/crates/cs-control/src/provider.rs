//! Identity providers: what may be said of one, and what is known of the products.

pub(crate) mod address;
mod presets;
mod rules;

pub(crate) use presets::preset;
pub(crate) use rules::{SCOPE_RULE, is_plain, is_scope, judge, judge_issuer};
