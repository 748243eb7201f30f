//! A command line of lastout's in a pod: its words and variables, as the core's own readers read them, and where each stands.

mod words;

use crate::change::{Path, Spot};
use crate::decide::{is_own_image, is_wrapped};
use crate::pod::{Container, Pod, list};
use lastout_core::argv::{self, Place, Subcommand, Wrong};
use lastout_core::settings::{
    OPTIONS, Opt, OptionRow, PREFIX, RawValue, Settings, SettingsError, Verb, resolve,
};
use serde_json::Value;
use words::{Word, spot, words};

/// What lastout is told in one container that it runs, or in which it does something else.
pub(crate) struct Invocation<'a> {
    pub(crate) container: Container<'a>,
    /// It is one of `initContainers`.
    pub(crate) is_init: bool,
    /// The way to it.
    pub(crate) path: Path,
    /// The words behind the program's name.
    pub(crate) words: Vec<Word<'a>>,
    pub(crate) subcommand: Subcommand,
    /// Every value, from variables first, as the program reads them.
    pub(crate) values: Vec<Given>,
    /// What is wrong with the words themselves.
    pub(crate) problems: Vec<(Place, Wrong)>,
    pub(crate) settings: Settings,
    /// What is wrong with the values.
    pub(crate) errors: Vec<SettingsError>,
    /// Variables come from elsewhere: what they say is not known.
    pub(crate) has_unknown_env: bool,
    /// Whether `command` has the program; else the image has it.
    pub(crate) in_command: bool,
}

/// A value of an option, and where it stands.
pub(crate) struct Given {
    pub(crate) raw: RawValue,
    pub(crate) spot: Spot,
    is_unknown: bool,
}

impl<'a> Invocation<'a> {
    /// Those of a pod; `spec`: the way to its spec, from where places are told.
    pub(crate) fn all(pod: Pod<'a>, spec: &Path) -> Vec<Self> {
        let lists = [("initContainers", pod.init_containers()), ("containers", pod.containers())];
        let mut all = Vec::new();
        for (key, containers) in lists {
            for container in containers.into_iter().filter(|container| is_wrapped(*container)) {
                let path = spec.key(key).index(container.index);
                all.push(Self::of(container, key == "initContainers", path));
            }
        }
        all
    }

    fn of(container: Container<'a>, is_init: bool, path: Path) -> Self {
        let in_command = container.words("command").is_some();
        // Of an image that was made with lastout as its entrypoint, args are the command.
        let is_baked = !in_command && !is_own_image(container);
        let words = if is_baked { Vec::new() } else { words(container, &path, in_command) };
        let bytes: Vec<&[u8]> = words.iter().map(|word| word.text.as_bytes()).collect();
        let line = argv::scan(&bytes);
        let subcommand = line.subcommand;
        let mut values = from_environment(container, &path);
        for given in &line.values {
            let word = words.get(given.value_place.word);
            values.push(Given {
                raw: given.raw(),
                spot: spot(&words, given.value_place, given.value.len(), &path),
                is_unknown: word.is_some_and(|word| word.is_unknown),
            });
        }
        let problems = line.problems.into_iter().filter(|_| !is_baked);
        let problems = problems.map(|problem| (problem.place, problem.what)).collect();
        let verb = match subcommand {
            Subcommand::Work(verb) => verb,
            Subcommand::Install | Subcommand::Sleep | Subcommand::Presets => {
                values.clear();
                Verb::Run
            }
        };
        let env = |name: &str| container.env(name).map(str::to_owned);
        let known = values.iter().filter(|given| !given.is_unknown);
        let resolved = resolve(verb, known.map(|given| given.raw.clone()), &env);
        Self {
            container,
            is_init,
            path,
            subcommand,
            values,
            problems,
            settings: resolved.settings,
            errors: resolved.errors,
            has_unknown_env: has_unknown_env(container),
            in_command,
            words,
        }
    }

    /// All that it is told could be read.
    pub(crate) fn is_known(&self) -> bool {
        !self.has_unknown_env
            && self.errors.is_empty()
            && !self.problems.iter().any(|(_, wrong)| wrong.is_refused())
    }

    /// It wraps a command.
    pub(crate) fn is_run(&self) -> bool {
        self.subcommand == Subcommand::Work(Verb::Run)
    }

    /// It guards: a sidecar of its own, or those that it is told.
    pub(crate) fn is_guard(&self) -> bool {
        self.subcommand == Subcommand::Work(Verb::Guard)
    }

    /// The last value of an option that counts once.
    pub(crate) fn last(&self, option: Opt) -> Option<&Given> {
        self.values.iter().rev().find(|given| given.raw.option == option)
    }

    /// Where an option's value stands; without one, where the program's name does.
    pub(crate) fn spot_of(&self, option: Opt) -> Spot {
        self.last(option).map_or_else(|| self.program(), |given| given.spot.clone())
    }

    /// Where the program's name stands.
    pub(crate) fn program(&self) -> Spot {
        Spot::value(if self.in_command { self.path.key("command").index(0) } else { self.path.key("name") })
    }

    /// Where these bytes of a word stand.
    pub(crate) fn spot(&self, place: Place, length: usize) -> Spot {
        spot(&self.words, place, length, &self.path)
    }

    /// For each thing that is wrong with a value: in words, where, and what to write instead of the value where that is
    /// plain.
    pub(crate) fn wrong_values(&self) -> Vec<(String, Spot, String)> {
        let known: Vec<&Given> = self.values.iter().filter(|given| !given.is_unknown).collect();
        let place_of = |error: &SettingsError| {
            let Some(given) = error.given.and_then(|index| known.get(index)) else {
                return (self.program(), String::new());
            };
            let mut spot = given.spot.clone();
            // Nothing of it: it is wrong as a whole.
            if let Some(within) = spot.within.as_mut().filter(|_| !error.at.is_empty()) {
                *within = within.start + error.at.start..within.start + error.at.end;
            }
            let mended = error.mend().and_then(|mend| {
                let mut value = String::from_utf8(given.raw.value.clone()).ok()?;
                value.get(error.at.clone())?;
                value.replace_range(error.at.clone(), &mend);
                Some(format!("{value:?}"))
            });
            (spot, mended.unwrap_or_default())
        };
        let all = self.errors.iter().map(|error| (error, place_of(error)));
        all.map(|(error, (spot, mend))| (error.to_string(), spot, mend)).collect()
    }

    /// Variables that look like ours and are none: the name, what may be meant, and where it stands.
    pub(crate) fn unknown_variables(&self) -> Vec<(String, Option<String>, Spot)> {
        let names: Vec<String> = OPTIONS.iter().map(OptionRow::variable).collect();
        let mut unknown = Vec::new();
        for (index, name) in variables(self.container) {
            if !name.starts_with(PREFIX) || names.iter().any(|known| known == name) {
                continue;
            }
            let known = lastout_core::text::nearest(name, names.iter().map(String::as_str));
            let path = self.path.key("env").index(index).key("name");
            unknown.push((name.to_owned(), known.map(str::to_owned), Spot::value(path)));
        }
        unknown
    }
}

fn variables(container: Container<'_>) -> impl Iterator<Item = (usize, &str)> {
    let names = list(container.value(), "env").enumerate();
    names.filter_map(|(index, entry)| Some((index, entry.get("name")?.as_str()?)))
}

fn from_environment(container: Container<'_>, path: &Path) -> Vec<Given> {
    let mut values = Vec::new();
    for (index, name) in variables(container).filter(|(_, name)| name.starts_with(PREFIX)) {
        let Some(row) = OPTIONS.iter().find(|row| row.variable() == name) else { continue };
        let text = list(container.value(), "env").nth(index).and_then(|entry| entry.get("value")?.as_str());
        let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
        let spot = |within| Spot { path: path.key("env").index(index).key("value"), key: false, within };
        let is_unknown = text.contains("$(");
        let words: Vec<&str> = if row.repeats { text.split_ascii_whitespace().collect() } else { vec![text] };
        for word in words {
            let start = word.as_ptr().addr() - text.as_ptr().addr();
            let raw =
                RawValue { option: row.option, origin: name.to_owned(), value: word.as_bytes().to_vec() };
            values.push(Given { raw, spot: spot(Some(start..start + word.len())), is_unknown });
        }
    }
    values
}

fn has_unknown_env(container: Container<'_>) -> bool {
    let of_ours = |entry: &Value| {
        let is_ours = entry.get("name").and_then(Value::as_str).is_some_and(|name| name.starts_with(PREFIX));
        is_ours && entry.get("valueFrom").is_some()
    };
    list(container.value(), "envFrom").next().is_some() || list(container.value(), "env").any(of_ours)
}
