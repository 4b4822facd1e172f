//! Modules of a crate depend on each other in one direction only: among modules with the same parent there is
//! no dependency cycle, direct or indirect.
//!
//! Dependencies are read from the paths in a module's code that begin with `crate` or `super`. A module may
//! depend on its parent and on its own children. Tests are ignored.

use std::collections::{BTreeMap, BTreeSet};

use super::{code, sources};

/// A permitted cycle: crate, parent ("" for the crate itself), modules.
type Allowed = (&'static str, &'static str, &'static [&'static str]);

/// The permitted cycles, with reasons.
const ALLOWED: &[Allowed] = &[
    // An application calls its host, and a host holds an application or a middlebox: their types name each
    // other.
    ("tcp-model", "", &["app", "host", "middlebox"]),
    // `AnyCc` holds NewReno and Linux's CUBIC directly, without a box; the description of an algorithm makes
    // an `AnyCc`, and these two contain their own description. (CUBIC shares its constants.)
    (
        "tcp-model",
        "congestion",
        &["algorithm", "any", "cubic", "cubic_linux", "newreno"],
    ),
];

/// A module by its path from the root of its crate; the root itself is empty.
pub(super) type Module = Vec<String>;

/// The modules of a crate with their code.
pub(super) struct Crate {
    name: &'static str,
    modules: BTreeMap<Module, String>,
    /// Names that a module imports from a child, and which child.
    taken: BTreeMap<(Module, String), String>,
}

impl Crate {
    pub(super) fn new(name: &'static str) -> Crate {
        let source = format!("{name}/src/");
        let mut modules = BTreeMap::new();
        for path in sources() {
            let Some(file) = path.strip_prefix(&source) else {
                continue;
            };
            let module: Module = match file.trim_end_matches(".rs") {
                "lib" => Module::new(),
                "main" => continue,
                module => module.split('/').map(str::to_owned).collect(),
            };
            modules.insert(module, code(&path));
        }
        let mut taken = BTreeMap::new();
        for (module, code) in &modules {
            for path in used_paths(code, |first| {
                let child = child(module, first);
                modules.contains_key(&child)
            }) {
                if let [child, .., name] = &path[..] {
                    taken.insert((module.clone(), name.clone()), child.clone());
                }
            }
        }
        Crate {
            name,
            modules,
            taken,
        }
    }

    /// The module that a path written in the module `from` refers to.
    fn resolve(&self, from: &Module, path: &[String]) -> Module {
        let ups = path.iter().take_while(|part| *part == "super").count();
        let (mut at, names) = match path[0].as_str() {
            "crate" => (Module::new(), &path[1..]),
            _ => (from[..from.len() - ups].to_vec(), &path[ups..]),
        };
        for name in names {
            let taken = self.taken.get(&(at.clone(), name.clone()));
            for step in [Some(name), taken].into_iter().flatten() {
                let next = child(&at, step);
                if self.modules.contains_key(&next) {
                    at = next;
                    break;
                }
            }
        }
        at
    }

    /// Pairs of a module and a module that its code names.
    pub(super) fn uses(&self) -> impl Iterator<Item = (&Module, Module)> {
        self.modules.iter().flat_map(move |(module, code)| {
            let paths = used_paths(code, |first| {
                let is_child = || self.modules.contains_key(&child(module, first));
                first == "crate" || first == "super" || is_child()
            });
            let to = move |path: Vec<String>| (module, self.resolve(module, &path));
            paths.into_iter().map(to)
        })
    }

    /// For each parent: which of its children depends on which other, with a place that shows it.
    fn needs(&self) -> BTreeMap<Module, BTreeMap<(String, String), String>> {
        let mut needs: BTreeMap<Module, BTreeMap<_, _>> = BTreeMap::new();
        for (module, code) in &self.modules {
            for path in used_paths(code, |first| first == "crate" || first == "super") {
                let to = self.resolve(module, &path);
                let same = module.iter().zip(&to).take_while(|(a, b)| a == b).count();
                if let (Some(a), Some(b)) = (module.get(same), to.get(same)) {
                    let place = format!("{} uses {}", module.join("/"), path.join("::"));
                    let parent = needs.entry(module[..same].to_vec()).or_default();
                    parent.entry((a.clone(), b.clone())).or_insert(place);
                }
            }
        }
        needs
    }
}

fn child(module: &Module, name: &str) -> Module {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// The paths in a source file that begin with a wanted name; `use` trees are split into their branches.
fn used_paths(code: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut paths = Vec::new();
    let mut at = 0;
    while let Some(found) = code[at..].find("::") {
        let end = at + found;
        at = end + 2;
        let start = code[..end].rfind(|c| !is_word(c)).map_or(0, |i| i + 1);
        let is_first = !code[..start].ends_with("::");
        let first = &code[start..end];
        if is_first && is_wanted(first) {
            branches(&code[at..], vec![first.to_owned()], &mut paths);
        }
    }
    paths
}

/// Adds the paths that continue `so_far::` to `paths`; returns the remaining text.
fn branches<'a>(text: &'a str, so_far: Vec<String>, paths: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches([',', ' ', '\n']);
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            if rest.is_empty() {
                return rest;
            }
            rest = branches(rest, so_far.clone(), paths);
            // `as NAME` is ignored.
            let end = rest.find([',', '}']).unwrap_or(rest.len());
            rest = &rest[end..];
        }
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let mut path = so_far;
    if !name.is_empty() {
        path.push(name.to_owned());
    }
    match rest.strip_prefix("::") {
        Some(rest) => branches(rest, path, paths),
        None => {
            paths.push(path);
            rest
        }
    }
}

/// Sets of modules in which each can reach all others.
fn circles(needs: &BTreeMap<(String, String), String>) -> Vec<BTreeSet<String>> {
    let reach = |from: &str| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from.to_owned()];
        while let Some(module) = next.pop() {
            for (a, b) in needs.keys() {
                if *a == module && seen.insert(b.clone()) {
                    next.push(b.clone());
                }
            }
        }
        seen
    };
    let names: BTreeSet<&String> = needs.keys().flat_map(|(a, b)| [a, b]).collect();
    let reached: BTreeMap<&String, BTreeSet<String>> =
        names.into_iter().map(|name| (name, reach(name))).collect();
    let mut circles: Vec<BTreeSet<String>> = Vec::new();
    for (name, there) in &reached {
        let back = |other: &&String| reached[*other].contains(*name);
        let circle: BTreeSet<String> = there.iter().filter(back).cloned().collect();
        if !circle.is_empty() && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

#[test]
fn modules_need_each_other_in_one_direction() {
    let mut found = Vec::new();
    let mut allowed: BTreeSet<&Allowed> = ALLOWED.iter().collect();
    for name in ["sim-core", "tcp-model", "reports", "scenarios"] {
        let this = Crate::new(name);
        for (parent, needs) in this.needs() {
            for circle in circles(&needs) {
                let parent = parent.join("/");
                let is_meant = |a: &&Allowed| {
                    let modules: BTreeSet<String> = a.2.iter().map(|m| (*m).to_owned()).collect();
                    (a.0, a.1) == (name, parent.as_str()) && circle == modules
                };
                if let Some(meant) = ALLOWED.iter().find(is_meant) {
                    allowed.remove(meant);
                    continue;
                }
                let places: Vec<&str> = needs
                    .iter()
                    .filter(|((a, b), _)| circle.contains(a) && circle.contains(b))
                    .map(|(_, place)| place.as_str())
                    .collect();
                let modules: Vec<String> = circle.into_iter().collect();
                found.push(format!(
                    "{name}/src/{parent}: {}\n    {}",
                    modules.join(", "),
                    places.join("\n    ")
                ));
            }
        }
        assert!(
            this.modules.len() > 20,
            "{}: {}",
            this.name,
            this.modules.len()
        );
    }
    assert!(
        found.is_empty(),
        "these modules need each other in circles:\n{}",
        found.join("\n")
    );
    assert!(allowed.is_empty(), "these circles are gone: {allowed:?}");
}

#[test]
fn paths_are_read_from_code() {
    let code = "use crate::{a::B, c::{self, d as E}};\nlet x = super::f::g(crate::h);";
    let found = used_paths(code, |first| first == "crate" || first == "super");
    let found: Vec<String> = found.iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        [
            "crate::a::B",
            "crate::c::self",
            "crate::c::d",
            "super::f::g",
            "crate::h"
        ]
    );
}

#[test]
fn a_circle_through_a_third_module_is_found() {
    let needs = [("a", "b"), ("b", "c"), ("c", "a"), ("a", "d")];
    let needs = needs.map(|(a, b)| ((a.to_owned(), b.to_owned()), String::new()));
    let circles = circles(&BTreeMap::from(needs));
    let expected: BTreeSet<String> = ["a", "b", "c"].map(str::to_owned).into();
    assert_eq!(circles, [expected]);
}
