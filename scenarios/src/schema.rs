//! The JSON schema of scenario files, for editors that complete and check TOML.
//!
//! Generated from the descriptions of the keys and the table of TCP parameters. It describes the values of
//! each key; whether keys are consistent with each other is checked by `synfin check`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use tcp_model::params::{
    BareNumber, NameSystem, PARAMS, Param, ParamKind, ParamType, SYSCTLS, SystemName, TcpParams,
};

use crate::file::ScenarioFile;
use crate::file::keys::{DURATION, KeyForm, SIZE, ScenarioKey, TableInfo};
use crate::scenario::topology::kinds;

/// Returns the schema.
pub fn schema() -> Json {
    let mut tables = BTreeMap::new();
    add_table(ScenarioFile::KEYS, &mut tables);
    tables.insert("Tcp", tcp());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of synfin",
        "$ref": reference(ScenarioFile::KEYS.name),
        "$defs": tables,
    })
}

fn reference(table: &str) -> String {
    format!("#/$defs/{table}")
}

fn add_table(info: &'static TableInfo, tables: &mut BTreeMap<&'static str, Json>) {
    if tables.contains_key(info.name) {
        return;
    }
    tables.insert(info.name, Json::Null); // a table may hold itself
    let mut properties = Map::new();
    for key in info.keys {
        if let Some(inner) = (key.form)().table() {
            add_table(inner, tables);
        }
        properties.insert(key.name().to_owned(), property(key));
    }
    let needed = info.keys.iter().filter(|k| k.required || k.info.needed);
    let needed: Vec<&str> = needed.map(ScenarioKey::name).collect();
    let table = json!({
        "type": "object",
        "description": info.text(),
        "properties": properties,
        "required": needed,
        "additionalProperties": false,
    });
    tables.insert(info.name, table);
}

fn property(key: &ScenarioKey) -> Json {
    let mut schema = of_form(&(key.form)());
    let described = match &mut schema {
        Json::Object(object) => object,
        _ => return schema,
    };
    described.insert("description".to_owned(), key.text().into());
    let words = (key.info.one_of)(&kinds());
    if !words.is_empty() {
        described.insert("enum".to_owned(), json!(words));
    }
    if let Some((least, most)) = key.info.within {
        described.insert("minimum".to_owned(), number(least));
        if most.is_finite() {
            described.insert("maximum".to_owned(), number(most));
        }
    }
    schema
}

/// Writes a whole number without a decimal point.
fn number(x: f64) -> Json {
    if x.fract() == 0.0 && x.abs() < 1e15 {
        json!(x as i64)
    } else {
        json!(x)
    }
}

fn of_form(form: &KeyForm) -> Json {
    match form {
        KeyForm::Leaf { schema, .. } => schema.clone(),
        KeyForm::Table(info) => json!({ "$ref": reference(info.name) }),
        KeyForm::List(of) => json!({ "type": "array", "items": of_form(of) }),
        KeyForm::Either(one, info) => {
            json!({ "anyOf": [of_form(one), { "$ref": reference(info.name) }] })
        }
        KeyForm::Tcp => json!({ "$ref": reference("Tcp") }),
    }
}

/// `[tcp]`: every name of every parameter.
fn tcp() -> Json {
    let mut properties = Map::new();
    for param in PARAMS {
        properties.insert(param.key.to_owned(), described(param, of_kind(&param.kind)));
    }
    for param in PARAMS {
        for name in param
            .names
            .iter()
            .filter(|n| n.system != NameSystem::Socket)
        {
            for spelling in [name.name, name.short()] {
                properties
                    .entry(spelling)
                    .or_insert_with(|| described(param, of_name(param, name)));
            }
        }
    }
    for sysctl in SYSCTLS {
        let any = json!({ "type": ["integer", "string", "array"], "description": sysctl.doc });
        for spelling in [sysctl.name, sysctl.short()] {
            properties.entry(spelling).or_insert_with(|| any.clone());
        }
    }
    let profiles = json!({
        "enum": TcpParams::PROFILES,
        "description": "The named set of parameters to start from.",
    });
    properties.insert("profile".to_owned(), profiles);
    let host = json!({
        "type": "object",
        "additionalProperties": { "$ref": reference("Tcp") },
        "description": "Parameters that differ on the hosts of a group, by the group's name.",
    });
    properties.insert("host".to_owned(), host);
    let net = json!({
        "type": "object",
        "description": "Sysctls with their names in full, as in net.ipv4.tcp_sack = 1.",
    });
    properties.insert("net".to_owned(), net);
    json!({
        "type": "object",
        "description": "TCP parameters; those not given come from the profile.",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn described(param: &Param, schema: Json) -> Json {
    let mut schema = schema;
    if let Json::Object(object) = &mut schema {
        let range = param.kind.range_with_reason();
        let text = format!("{} Takes {range}.", param.text());
        object.insert("description".to_owned(), text.into());
    }
    schema
}

/// Names other than the canonical one also take a bare number.
fn of_name(param: &Param, name: &SystemName) -> Json {
    match name.raw {
        BareNumber::Same if name.system == NameSystem::Other => of_kind(&param.kind),
        _ => json!({ "anyOf": [of_kind(&param.kind), { "type": "integer", "minimum": 0 }] }),
    }
}

fn of_kind(kind: &ParamKind) -> Json {
    let integer = json!({ "type": "integer", "minimum": kind.least, "maximum": kind.most });
    let text = |pattern| json!({ "type": "string", "pattern": pattern });
    let mut any = match kind.shape {
        ParamType::Flag => vec![json!({ "type": "boolean" }), json!({ "enum": [0, 1, 2] })],
        ParamType::Count | ParamType::Bits(_) => vec![integer],
        ParamType::Size => vec![text(SIZE)],
        ParamType::Time => vec![text(DURATION)],
        ParamType::GiveUp => vec![integer, text(DURATION)],
        ParamType::Ports => vec![
            json!({
                "type": "array", "minItems": 2, "maxItems": 2,
                "items": { "type": "integer", "minimum": kind.least, "maximum": kind.most },
            }),
            text(r"^\s*[0-9]+\s+[0-9]+\s*$"),
        ],
        ParamType::PortSet => vec![
            integer.clone(),
            json!({
                "type": "array", "minItems": 1,
                "items": { "anyOf": [integer, { "type": "string" }] },
            }),
            text(r"^[0-9,\- ]*$"),
        ],
        // Users can register their own names.
        ParamType::Model => vec![json!({ "type": "string" })],
        ParamType::Control => vec![
            json!({ "type": "string" }),
            json!({
                "type": "object",
                "properties": { "kind": { "type": "string" } },
                "required": ["kind"],
            }),
        ],
        ParamType::Words(words) => {
            let numbers = words.iter().map(|w| w.number).filter(|n| *n >= 0);
            let all = words.iter().map(|w| json!(w.word));
            let all: Vec<Json> = all.chain(numbers.map(|n| json!(n))).collect();
            vec![json!({ "enum": all })]
        }
    };
    if kind.none.is_some() {
        let words = ["never", "off", "unlimited", "all", "auto"];
        let words: Vec<&str> = words.into_iter().filter(|w| kind.is_none(w)).collect();
        any.push(json!({ "enum": words }));
    }
    match any.len() {
        1 => any.remove(0),
        _ => json!({ "anyOf": any }),
    }
}
