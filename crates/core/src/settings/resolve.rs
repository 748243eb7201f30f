//! Raw values → [`Settings`].

use super::error::{Read, SettingsErrorKind as Kind, Wrong};
use super::{Group, Opt, RawValue, Resolved, Settings, SettingsError, Verb, compat, fold, value};
use crate::outcome::ExitMap;
use crate::spec::Spec;
use crate::text::{HEADER, header_at};
use alloc::{boxed::Box, string::String, vec::Vec};

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

pub(super) fn resolve(verb: Verb, own: Vec<RawValue>, env: Env<'_>) -> Resolved {
    let mut errors = Vec::new();
    let compat =
        Reader { values: &own, foreign: 0, errors: &mut errors }.one(Opt::Compat, text(value::compat));
    let (foreign, unreadable) = compat.map(|compat| compat::values(compat, env)).unwrap_or_default();
    errors.extend(unreadable);

    let all: Vec<RawValue> = foreign.iter().chain(&own).cloned().collect();
    let mut settings = Settings::defaults(verb);
    let mut reader = Reader { values: &all, foreign: foreign.len(), errors: &mut errors };
    reader.gate(&mut settings);
    reader.stop(&mut settings);
    reader.signals(&mut settings);
    reader.telling(&mut settings);
    settings.group = reader.group(verb);

    settings.sidecars =
        Reader { values: &foreign, foreign: foreign.len(), errors: &mut errors }.sidecars(env);
    let explicit = Reader { values: &own, foreign: 0, errors: &mut errors }.sidecars(env);
    // The user's own spec of a name takes the place of the other program's.
    settings.sidecars.retain(|foreign| explicit.iter().all(|own| own.name != foreign.name));
    settings.sidecars.extend(explicit);
    let warnings = fold::fold(&mut settings.sidecars);
    // An agent answers before it has logged in, and what it writes comes later still.
    for spec in &mut settings.sidecars {
        if spec.preset.is_some_and(|preset| preset.writes_files) {
            spec.files.clone_from(&settings.env_files);
        }
    }
    Resolved { settings, warnings, errors }
}

/// A reader of text as one of bytes.
fn text<T>(read: impl Fn(&str) -> Read<'_, T>) -> impl Fn(&[u8]) -> Read<'_, T> {
    move |bytes| match core::str::from_utf8(bytes) {
        Ok(text) => read(text),
        Err(_) => Err(not_utf8(bytes, bytes)),
    }
}

fn not_utf8<'a>(bytes: &'a [u8], shown: &[u8]) -> Box<Wrong<'a>> {
    let wrong = bytes.utf8_chunks().next().map_or(bytes, |chunk| chunk.invalid());
    Wrong::shown(Kind::NotUtf8, wrong, shown)
}

/// A spec.
fn spec<'a>(bytes: &'a [u8], env: Env<'_>) -> Read<'a, Spec> {
    match core::str::from_utf8(bytes) {
        Ok(text) => Spec::parse(text, env).map_err(|error| {
            let at = bytes.get(error.at.clone()).unwrap_or_default();
            let value = error.value.clone();
            Wrong::shown(Kind::Spec(Box::new(error)), at, value.as_bytes())
        }),
        // What follows a header may be its value, which is never shown.
        Err(_) => {
            let secret = header_at(bytes).map_or(bytes.len(), |at| at - HEADER.len());
            Err(not_utf8(bytes, bytes.get(..secret).unwrap_or_default()))
        }
    }
}

struct Reader<'a> {
    values: &'a [RawValue],
    /// How many of them, at the beginning, are those of `--compat`.
    foreign: usize,
    errors: &'a mut Vec<SettingsError>,
}

impl<'a> Reader<'a> {
    /// Every value of a repeatable option that can be read.
    fn all<T>(&mut self, option: Opt, read: impl Fn(&[u8]) -> Read<'_, T>) -> Vec<T> {
        let mut good = Vec::new();
        for (index, raw) in self.of(option) {
            match read(&raw.value) {
                Ok(value) => good.push(value),
                Err(wrong) => self.wrong(index, raw, wrong),
            }
        }
        good
    }

    fn of(&self, option: Opt) -> impl Iterator<Item = (usize, &'a RawValue)> + use<'a> {
        self.values.iter().enumerate().filter(move |(_, raw)| raw.option == option)
    }

    #[expect(clippy::boxed_local, reason = "unboxed in each of its callers it is a kilobyte larger")]
    fn wrong(&mut self, index: usize, raw: &RawValue, wrong: Box<Wrong<'_>>) {
        let given = index.checked_sub(self.foreign);
        self.errors.push(SettingsError::new(raw.option, &raw.origin, &raw.value, given, *wrong));
    }

    /// Every sidecar that can be read, also where it is written wrongly and what is meant is plain: it is to be stopped.
    fn sidecars(&mut self, env: Env<'_>) -> Vec<Spec> {
        let mut sidecars = Vec::new();
        // Blanks divide the words of a variable and of a command line: the next word may be the rest of a header's value.
        let mut header_before = None;
        for (index, raw) in self.of(Opt::Sidecar) {
            match spec(&raw.value, env) {
                Ok(spec) => sidecars.push(spec),
                Err(_) if header_before == Some(&raw.origin) => {
                    self.wrong(index, raw, Wrong::hidden(Kind::BehindHeader, &raw.value));
                }
                Err(wrong) => {
                    self.wrong(index, raw, wrong);
                    let text = core::str::from_utf8(&raw.value).unwrap_or_default();
                    sidecars.extend(Spec::meant(text, env));
                }
            }
            if header_at(&raw.value).is_some() && raw.origin != "--sidecar" {
                header_before = Some(&raw.origin);
            }
        }
        sidecars
    }

    /// The last value of an option that is not repeatable.
    fn one<T>(&mut self, option: Opt, read: impl Fn(&[u8]) -> Read<'_, T>) -> Option<T> {
        let (index, raw) = self.last(option)?;
        read(&raw.value).map_err(|wrong| self.wrong(index, raw, wrong)).ok()
    }

    fn last(&self, option: Opt) -> Option<(usize, &'a RawValue)> {
        self.of(option).last()
    }

    /// As [`Self::one`]; what cannot be read leaves the default.
    fn set<T>(&mut self, option: Opt, place: &mut T, read: impl Fn(&str) -> Read<'_, T>) {
        if let Some(value) = self.one(option, text(read)) {
            *place = value;
        }
    }

    fn gate(&mut self, settings: &mut Settings) {
        self.set(Opt::WaitTimeout, &mut settings.wait_timeout, value::bound);
        self.set(Opt::OnWaitTimeout, &mut settings.run_unready, value::run_unready);
        self.set(Opt::NoWait, &mut settings.gate, |text| value::switch(text).map(|no_wait| !no_wait));
        self.set(Opt::AbsentAfter, &mut settings.absent_after, value::duration);
        settings.env_files = self.all(Opt::EnvFile, value::file);
    }

    fn stop(&mut self, settings: &mut Settings) {
        self.set(Opt::StopOn, &mut settings.stop_on, value::stop_on);
        self.set(Opt::StopTimeout, &mut settings.stop_timeout, value::stop_timeout);
        self.set(Opt::Linger, &mut settings.linger, value::duration);
        self.set(Opt::Leftovers, &mut settings.leftovers, value::duration);
        settings.map_exit = ExitMap(self.all(Opt::MapExit, text(value::map_exit)));
    }

    fn signals(&mut self, settings: &mut Settings) {
        let stop_signals = self.all(Opt::StopSignal, text(value::catchable));
        if !stop_signals.is_empty() {
            settings.stop_signals = stop_signals;
        }
        self.set(Opt::Grace, &mut settings.grace, |text| value::duration(text).map(Some));
        self.set(Opt::SignalGroup, &mut settings.signal_group, value::switch);
        settings.rewrites = self.all(Opt::RewriteSignal, text(value::rewrite));
        settings.delays = self.all(Opt::DelaySignal, text(value::delay));
        self.set(Opt::ParentDeathSignal, &mut settings.parent_death_signal, |text| {
            value::signal(text).map(Some)
        });
    }

    fn telling(&mut self, settings: &mut Settings) {
        settings.report = self.one(Opt::Report, value::report);
        self.set(Opt::LogLevel, &mut settings.log_level, value::log_level);
        self.set(Opt::LogFormat, &mut settings.log_json, value::log_json);
    }
    /// A member that cannot register (no size, no name) is in no group: it stops the sidecars by itself, so that
    /// the others fail instead of waiting for it for ever.
    fn group(&mut self, verb: Verb) -> Option<Group> {
        let wait = self.one(Opt::GroupWait, text(value::bound)).flatten();
        let errors = self.errors.len();
        let size = self.one(Opt::GroupSize, text(value::group_size));
        let name = self.one(Opt::GroupName, text(value::group_name));
        let dir = self.one(Opt::Group, value::file);
        match self.last(Opt::Group) {
            Some((index, raw)) if verb == Verb::Run && self.last(Opt::GroupName).is_none() => {
                self.wrong(index, raw, Wrong::hidden(Kind::MemberWithoutName, &raw.value));
            }
            Some(_) => {}
            None => {
                for option in [Opt::GroupSize, Opt::GroupName, Opt::GroupWait] {
                    if let Some((index, raw)) = self.last(option) {
                        self.wrong(index, raw, Wrong::hidden(Kind::NoGroup, &raw.value));
                    }
                }
                if verb == Verb::Guard {
                    self.errors.push(SettingsError::of(Opt::Group, Kind::GuardWithoutGroup, b""));
                }
            }
        }
        let name = match verb {
            Verb::Guard => None,
            Verb::Run | Verb::Wait | Verb::Stop => name,
        };
        let sound = self.errors.len() == errors;
        dir.filter(|_| sound).map(|dir| Group {
            dir,
            size: size.unwrap_or(super::options::GROUP_SIZE),
            name,
            wait,
        })
    }
}
