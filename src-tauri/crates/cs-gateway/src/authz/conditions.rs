//! Which conditions of the policy the arguments of a call satisfy. The policy says what follows.

use cs_model::{Condition, Grant, Kind};
use cs_policy::{Act, Met};

use crate::gate::Gate;
use crate::schema::{self, Schema, SchemaFault};
use crate::session::Live;
use crate::tool::Asked;

/// Checks that a JSON Schema could be held against any arguments.
///
/// # Errors
///
/// Why it could not. No arguments would satisfy it.
pub fn examine_condition(schema: &str) -> Result<(), SchemaFault> {
    schema::examine(&definition(schema))
}

/// Whether arguments, as they are written, satisfy a condition. One that cannot be held against
/// them is not satisfied.
pub fn satisfies(condition: &Condition, arguments: Option<&str>) -> bool {
    Schema::read(&definition(&condition.schema)).is_ok_and(|it| fits(&it, arguments))
}

/// The conditions that the arguments of a call satisfy. One that cannot be held against them is
/// not satisfied.
pub(crate) fn met(gate: &Gate, asked: &Asked) -> Met {
    // What is asked about is not yet what is done: no condition of a cell speaks of that.
    if asked.call.act == Act::Complete {
        return Met::default();
    }
    met_by(gate, &asked.live, asked.call.kind, &asked.call.name, asked.arguments())
}

/// The conditions on what a session knows by this name that these arguments satisfy.
pub(super) fn met_by(
    gate: &Gate,
    live: &Live,
    kind: Kind,
    name: &str,
    arguments: Option<&str>,
) -> Met {
    let world = gate.world();
    live.judge(|session| {
        let all = cs_policy::conditions(&world.policy, session, kind, name);
        let met = all.into_iter().filter(|it| is_met(gate, it, arguments));
        met.map(Condition::digest).collect()
    })
}

/// Whether arguments satisfy a JSON Schema. One that cannot be held against them is not satisfied.
pub(crate) fn fits_schema(gate: &Gate, schema: &str, arguments: &str) -> bool {
    let condition = Condition { schema: schema.to_owned(), otherwise: Grant::Deny };
    is_met(gate, &condition, Some(arguments))
}

fn is_met(gate: &Gate, condition: &Condition, arguments: Option<&str>) -> bool {
    let found = gate.schemas.of(condition.digest(), &definition(&condition.schema));
    found.is_ok_and(|schema| fits(&schema, arguments))
}

fn fits(schema: &Schema, arguments: Option<&str>) -> bool {
    schema.check(arguments, None).is_ok()
}

/// A schema where that of a tool would stand.
fn definition(schema: &str) -> String {
    format!(r#"{{"inputSchema":{schema}}}"#)
}
