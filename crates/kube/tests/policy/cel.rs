//! An API server's part in a mutating policy: its match conditions, its variables and its JSON patch, by an evaluator of CEL
//! that has no structs, so that they become maps.

use kube_cel::KubeCelExt;
use kube_cel::cel::common::ast::{
    EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue, MapEntryExpr, MapExpr,
};
use kube_cel::cel::objects::{Key, Map};
use kube_cel::cel::{Context, Program, Value as Cel};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// A policy, ready to run.
pub struct Policy {
    conditions: Vec<IdedExpr>,
    variables: Vec<(String, IdedExpr)>,
    mutation: Option<IdedExpr>,
}

impl Policy {
    /// Of an object that was read.
    pub fn of(object: &Value) -> Self {
        let spec = &object["spec"];
        let all = |key: &str| spec[key].as_array().cloned().unwrap_or_default();
        let expression = |value: &Value| compiled(value["expression"].as_str().unwrap());
        let variable = |value: &Value| (value["name"].as_str().unwrap().to_owned(), expression(value));
        let mutation = spec["mutations"][0]["jsonPatch"]["expression"].as_str().map(compiled);
        Self {
            conditions: all("matchConditions").iter().map(expression).collect(),
            variables: all("variables").iter().map(variable).collect(),
            mutation,
        }
    }

    /// It is about this object.
    pub fn matches(&self, object: &Value) -> bool {
        let mut context = Context::default().with_all();
        context.add_variable_from_value("object", to_cel(object));
        self.conditions.iter().all(|condition| run(condition, &context) == Cel::Bool(true))
    }

    /// What the object has become, as the API server has it, and whether each of these conditions held of it.
    pub fn mutated(&self, object: &Value, params: &Value, conditions: &[IdedExpr]) -> (Value, Vec<bool>) {
        let mut after = object.clone();
        if !self.matches(object) {
            return (after, vec![false; conditions.len()]);
        }
        let context = self.context(object, params);
        let operations = to_json(&run(self.mutation.as_ref().unwrap(), &context));
        let patch: json_patch::Patch = serde_json::from_value(operations).unwrap();
        json_patch::patch(&mut after, &patch).unwrap();
        let holds = conditions.iter().map(|condition| run(condition, &context) == Cel::Bool(true));
        (after, holds.collect())
    }

    /// What an expression comes to.
    pub fn value(&self, object: &Value, expression: &IdedExpr) -> Value {
        to_json(&run(expression, &self.context(object, &Value::Null)))
    }

    /// Every variable: none may fail, although the API server works out only those that it needs.
    fn context(&self, object: &Value, params: &Value) -> Context<'static> {
        let mut context = Context::default().with_all();
        context.add_variable_from_value("object", to_cel(object));
        context.add_variable_from_value("params", to_cel(params));
        context.add_variable_from_value("namespaceObject", Cel::Null);
        let mut variables = HashMap::new();
        for (name, expression) in &self.variables {
            context.add_variable_from_value("variables", Cel::Map(Map { map: Arc::new(variables.clone()) }));
            variables.insert(Key::String(Arc::new(name.clone())), run(expression, &context));
        }
        context.add_variable_from_value("variables", Cel::Map(Map { map: Arc::new(variables) }));
        context
    }
}

fn run(expression: &IdedExpr, context: &Context<'_>) -> Cel {
    Cel::resolve(expression, context).unwrap()
}

/// Reads an expression.
pub fn compiled(text: &str) -> IdedExpr {
    let program = Program::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut expression = program.expression().clone();
    without_structs(&mut expression);
    expression
}

fn without_structs(expression: &mut IdedExpr) {
    match &mut expression.expr {
        Expr::Call(call) => {
            call.target.iter_mut().for_each(|target| without_structs(target));
            call.args.iter_mut().for_each(without_structs);
        }
        Expr::Comprehension(loops) => {
            let parts = [&mut loops.iter_range, &mut loops.accu_init, &mut loops.loop_cond];
            parts.into_iter().chain([&mut loops.loop_step, &mut loops.result]).for_each(without_structs);
        }
        Expr::List(list) => list.elements.iter_mut().for_each(without_structs),
        Expr::Select(select) => without_structs(&mut select.operand),
        Expr::Map(map) => {
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                    without_structs(&mut entry.key);
                    without_structs(&mut entry.value);
                }
            }
        }
        Expr::Struct(fields) => {
            let entries = std::mem::take(&mut fields.entries).into_iter().filter_map(|entry| {
                let EntryExpr::StructField(mut field) = entry.expr else { return None };
                without_structs(&mut field.value);
                let key = Expr::Literal(LiteralValue::String(field.field.as_str().into()));
                let key = IdedExpr { id: 0, expr: key };
                let of_map = MapEntryExpr { key, value: field.value, optional: field.optional };
                Some(IdedEntryExpr { id: entry.id, expr: EntryExpr::MapEntry(of_map) })
            });
            expression.expr = Expr::Map(MapExpr { entries: entries.collect() });
        }
        _ => {}
    }
}

/// As the API server has it: its numbers are integers.
fn to_cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(yes) => Cel::Bool(*yes),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Cel::Float(number.as_f64().unwrap()), Cel::Int)
        }
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(items) => Cel::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(entries) => {
            let entries =
                entries.iter().map(|(key, value)| (Key::String(Arc::new(key.clone())), to_cel(value)));
            Cel::Map(Map { map: Arc::new(entries.collect()) })
        }
    }
}

fn to_json(value: &Cel) -> Value {
    match value {
        Cel::List(items) => items.iter().map(to_json).collect(),
        Cel::Map(map) => {
            let entries = map.map.iter().map(|(key, value)| (key.to_string(), to_json(value)));
            Value::Object(entries.collect())
        }
        Cel::Int(number) => (*number).into(),
        Cel::String(text) => text.as_str().into(),
        Cel::Bool(yes) => (*yes).into(),
        Cel::Null => Value::Null,
        other => panic!("no JSON: {other:?}"),
    }
}
