//! Decides which marks a request shall carry: the client's, made legal, or injected ones.

use super::{Policy, Rule, Target, inject};
use crate::dialect::{Block, MarkKind, Role};
use crate::prompt::{Carrier, Form, Mark, Place, Prompt, Seat, Section, Ttl};
use crate::provider::Marks;

/// Most marks that any provider takes in one request: Anthropic's limit, its siblings' too
/// (platform.claude.com, prompt caching, read 2026-08-22).
pub(super) const MOST_MARKS: usize = 4;

/// The marks of the request as it shall be.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// On places, in the order in which providers read them.
    pub(super) marks: Vec<Planned>,
    pub(super) top: Option<TopMark>,
    /// Marks of the client that go, as indices, and the rule for it.
    pub(super) gone: Vec<(usize, Rule)>,
}

/// A mark that shall stand on a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    pub(super) place: usize,
    pub(super) ttl: Ttl,
    /// The client's mark that it is, as an index, and the rule that changes its place or kind.
    pub(super) origin: Option<usize>,
    pub(super) rule: Option<Rule>,
    /// Whether its lifetime was lowered to keep the order.
    pub(super) lowered: bool,
}

/// A mark that shall stand on the whole request.
#[derive(Clone, Copy, Debug)]
pub(super) struct TopMark {
    pub(super) ttl: Ttl,
    pub(super) origin: Option<usize>,
    pub(super) lowered: bool,
}

/// Whether a place can carry a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    Yes,
    /// One that the client set there may stay; its kind is not known.
    ClientsOnly,
    No,
}

/// Whether an upstream that takes `marks` takes one on this place.
pub(super) fn carries(marks: Marks, place: &Place) -> Carries {
    let text = matches!(place.block, Block::Text);
    let part = text || place.block == Block::Media;
    let yes = match (marks, place.block) {
        (_, Block::Thinking | Block::Blank) => false,
        (Marks::Blocks, Block::Item) => false,
        (Marks::Blocks | Marks::Parts, Block::Unknown) => return Carries::ClientsOnly,
        (Marks::Blocks, _) => true,
        (Marks::Parts, _) => part,
        (Marks::TextAndTools, block) => text || block == Block::Definition,
        (Marks::Text, _) => text,
        (Marks::Items, block) => block == Block::Item || (text && place.carrier == Carrier::Input),
        (Marks::Breakpoints, _) => part && place.role != Role::Assistant,
        (Marks::Top | Marks::Rejected | Marks::Ignored, _) => false,
    };
    if yes { Carries::Yes } else { Carries::No }
}

/// Plans the marks of a request.
pub(super) fn marks(prompt: &Prompt, target: &Target<'_>) -> Plan {
    let style = match target.accepts.marks {
        _ if target.policy == Policy::Strip => Marks::Rejected,
        Marks::Top if !target.accepts.top_level_mark => Marks::Rejected,
        style => style,
    };
    match style {
        Marks::Ignored => Plan::default(),
        Marks::Rejected => Plan {
            gone: (0..prompt.marks.len()).map(|index| (index, Rule::Strip)).collect(),
            ..Plan::default()
        },
        _ => {
            let mut plan = legal(prompt, target);
            plan.drop_hidden(prompt, target);
            if let Policy::Inject(ttl) = target.policy
                && plan.is_unmarked()
            {
                let Plan { marks, top, .. } = inject::marks(prompt, target, ttl);
                plan = Plan { marks, top, ..plan };
            }
            plan
        }
    }
}

/// The client's marks, made legal.
fn legal(prompt: &Prompt, target: &Target<'_>) -> Plan {
    let accepts = target.accepts;
    let mut plan = Plan::default();
    let live = prompt
        .marks
        .iter()
        .enumerate()
        .filter(|(_, mark)| mark.form == Form::Object && !mark.shadowed);
    if accepts.marks == Marks::Top {
        plan.gather(live);
        return plan;
    }
    let seats = Seats::new(prompt, accepts.marks);
    let mut top = None;
    for (index, mark) in live {
        if mark.seat == Seat::Top {
            top = Some((index, *mark));
        } else {
            plan.seat(&seats, accepts.marks, index, mark);
        }
    }
    if !accepts.ttl_1h {
        plan.marks.iter_mut().for_each(|planned| planned.ttl = Ttl::FiveMinutes);
        top.iter_mut().for_each(|(_, mark)| mark.ttl = None);
    }
    plan.merge(prompt);
    match top {
        Some((index, _)) if accepts.marks == Marks::Breakpoints => {
            plan.gone.push((index, Rule::Convert));
        }
        Some((index, mark)) if !accepts.top_level_mark => {
            plan.expand_top(prompt, accepts.marks, index, lifetime(&mark));
        }
        _ => {}
    }
    plan.cap(prompt);
    plan.lower();
    if let Some((index, mark)) = top
        && accepts.top_level_mark
        && accepts.marks != Marks::Breakpoints
    {
        plan.settle_top(prompt, accepts.marks, index, lifetime(&mark));
    }
    plan
}

impl Plan {
    /// Whether the request would leave without any mark: the client set none, or none that can
    /// stay.
    fn is_unmarked(&self) -> bool {
        self.marks.is_empty() && self.top.is_none()
    }

    /// Finds the place for a client's mark.
    fn seat(&mut self, seats: &Seats, style: Marks, index: usize, mark: &Mark) {
        let native = mark.kind == style.kind();
        let (place, rule) = match seats.own(mark.seat) {
            Some(place) => (Some(place), (!native).then_some(Rule::Convert)),
            None => (seats.nearest(mark.seat), Some(Rule::Move)),
        };
        match place {
            Some(place) => self.marks.push(Planned {
                place,
                ttl: lifetime(mark),
                origin: Some(index),
                rule,
                lowered: false,
            }),
            None => self.gone.push((index, Rule::Strip)),
        }
    }

    /// Puts the marks into the order of providers. Of several on one place, the one that already
    /// stands there stays.
    fn merge(&mut self, prompt: &Prompt) {
        self.marks.sort_by_key(|planned| (order(prompt, planned.place), planned.rule.is_some()));
        let gone = &mut self.gone;
        self.marks.dedup_by(|planned, kept| {
            let twice = planned.place == kept.place;
            if twice && let Some(origin) = planned.origin {
                gone.push((origin, planned.rule.unwrap_or(Rule::Move)));
            }
            twice
        });
    }

    /// All marks become one on the whole request, with the longest lifetime of any.
    fn gather<'m>(&mut self, marks: impl Iterator<Item = (usize, &'m Mark)>) {
        let mut longest = None;
        let mut own = None;
        for (index, mark) in marks {
            let ttl = lifetime(mark);
            if mark.seat == Seat::Top {
                own = Some((index, ttl));
            } else {
                self.gone.push((index, Rule::Convert));
                longest = if ttl == Ttl::OneHour { Some(ttl) } else { longest.or(Some(ttl)) };
            }
        }
        self.top = match (own, longest) {
            (Some((index, ttl)), _) => Some(TopMark { ttl, origin: Some(index), lowered: false }),
            (None, ttl) => ttl.map(|ttl| TopMark { ttl, origin: None, lowered: false }),
        };
    }

    /// A mark on the whole request stays, unless it would be refused beside the others.
    fn settle_top(&mut self, prompt: &Prompt, style: Marks, index: usize, ttl: Ttl) {
        let short = self.marks.iter().any(|planned| planned.ttl != Ttl::OneHour);
        let lowered = short && ttl == Ttl::OneHour;
        let ttl = if lowered { Ttl::FiveMinutes } else { ttl };
        // On a block that has a mark of the same lifetime it adds nothing; one of another is a 400.
        let last = last_place(prompt, style);
        let contrary = |planned: &Planned| Some(planned.place) == last && planned.ttl != ttl;
        if self.marks.len() >= MOST_MARKS || self.marks.iter().any(contrary) {
            self.gone.push((index, Rule::TopLevel));
        } else {
            self.top = Some(TopMark { ttl, origin: Some(index), lowered });
        }
    }

    /// A mark on the whole request becomes one on the last block.
    fn expand_top(&mut self, prompt: &Prompt, style: Marks, index: usize, ttl: Ttl) {
        let last = last_place(prompt, style);
        let free = last.filter(|last| self.marks.iter().all(|planned| planned.place != *last));
        let Some(place) = free else {
            self.gone.push((index, Rule::TopLevel));
            return;
        };
        let rule = Some(Rule::TopLevel);
        let planned = Planned { place, ttl, origin: Some(index), rule, lowered: false };
        // A mark of the client's may stand behind it, on a block of a kind that is not known.
        let at =
            self.marks.partition_point(|other| order(prompt, other.place) < order(prompt, place));
        self.marks.insert(at, planned);
    }

    /// Leaves as many marks as are taken: the last of the tools, the last of the system, then the
    /// latest of the messages.
    fn cap(&mut self, prompt: &Prompt) {
        if self.marks.len() <= MOST_MARKS {
            return;
        }
        let section =
            |planned: &Planned| prompt.places.get(planned.place).map(|place| place.section);
        let last_of =
            |wanted| self.marks.iter().rposition(|planned| section(planned) == Some(wanted));
        let mut kept: Vec<usize> = Vec::with_capacity(MOST_MARKS);
        kept.extend(last_of(Section::Tools));
        kept.extend(last_of(Section::System));
        // Messages are last in the order, so the latest of the rest are theirs as far as there are.
        for index in (0..self.marks.len()).rev() {
            if kept.len() < MOST_MARKS && !kept.contains(&index) {
                kept.push(index);
            }
        }
        let mut index = 0;
        let gone = &mut self.gone;
        self.marks.retain(|planned| {
            let keep = kept.contains(&index);
            if !keep {
                gone.extend(planned.origin.map(|origin| (origin, Rule::Cap)));
            }
            index += 1;
            keep
        });
    }

    /// Lowers every hour that comes behind five minutes.
    fn lower(&mut self) {
        let mut short = false;
        for planned in &mut self.marks {
            if planned.ttl != Ttl::OneHour {
                short = true;
            } else if short {
                planned.ttl = Ttl::FiveMinutes;
                planned.lowered = true;
            }
        }
    }

    /// Takes out what must not stay though it is no mark that counts: one that a later member of
    /// the same name hides (it would come to light where that one goes), one that no provider takes,
    /// and what this one rejects even as `null`.
    fn drop_hidden(&mut self, prompt: &Prompt, target: &Target<'_>) {
        let accepts = target.accepts;
        for (index, mark) in prompt.marks.iter().enumerate() {
            let rejected = match (mark.form, mark.seat) {
                _ if mark.shadowed => true,
                (Form::Object, _) => false,
                (Form::Odd, _) => true,
                (_, Seat::Top) => !accepts.top_level_mark,
                (_, Seat::Place(place)) => {
                    let place = prompt.places.get(place as usize);
                    mark.kind != accepts.marks.kind()
                        || place.is_none_or(|place| carries(accepts.marks, place) == Carries::No)
                }
                (_, Seat::Message(_)) => {
                    accepts.marks != Marks::Items || mark.kind != accepts.marks.kind()
                }
                (_, Seat::Inside(_)) => true,
            };
            if rejected {
                self.gone.push((index, Rule::Strip));
            }
        }
    }
}

/// Where marks can stand in a prompt, found in one pass over its places.
struct Seats<'p> {
    prompt: &'p Prompt,
    style: Marks,
    /// For each place: itself or the nearest before it, of the same section, that can carry one.
    carriers: Vec<Option<u32>>,
    /// For each message with a place: its number, and its last place.
    messages: Vec<(u32, u32)>,
}

impl<'p> Seats<'p> {
    fn new(prompt: &'p Prompt, style: Marks) -> Self {
        let mut carriers = Vec::with_capacity(prompt.places.len());
        let mut messages: Vec<(u32, u32)> = Vec::new();
        let mut latest = [None; 3];
        for (index, place) in (0..).zip(&prompt.places) {
            let [tools, system, others] = &mut latest;
            let nearest = match place.section {
                Section::Tools => tools,
                Section::System => system,
                Section::Messages => others,
            };
            if carries(style, place) == Carries::Yes {
                *nearest = Some(index);
            }
            carriers.push(*nearest);
            if place.message != Place::NO_MESSAGE {
                match messages.last_mut() {
                    Some((message, last)) if *message == place.message => *last = index,
                    _ => messages.push((place.message, index)),
                }
            }
        }
        Self { prompt, style, carriers, messages }
    }

    /// The place that a mark stands on already, if it may stay there.
    fn own(&self, seat: Seat) -> Option<usize> {
        let index = match seat {
            Seat::Place(place) => place,
            Seat::Message(message) if self.style == Marks::Items => {
                let (found, last) = self.last_of(message)?;
                (found == message).then_some(last)?
            }
            _ => return None,
        };
        let place = self.prompt.places.get(index as usize)?;
        (carries(self.style, place) != Carries::No).then_some(index as usize)
    }

    /// Where a mark goes that cannot stay on its seat.
    fn nearest(&self, seat: Seat) -> Option<usize> {
        let from = match seat {
            Seat::Top => return None,
            // A message comes behind its parts.
            Seat::Place(place) | Seat::Inside(place) if self.style == Marks::Items => {
                self.last_of(self.prompt.places.get(place as usize)?.message)?.1
            }
            Seat::Place(place) | Seat::Inside(place) => place,
            Seat::Message(message) => self.last_of(message)?.1,
        };
        self.carriers.get(from as usize).copied().flatten().map(|place| place as usize)
    }

    /// The last place of a message, or of the nearest before it that has one.
    fn last_of(&self, message: u32) -> Option<(u32, u32)> {
        let behind = self.messages.partition_point(|(number, _)| *number <= message);
        self.messages.get(behind.checked_sub(1)?).copied()
    }
}

/// The last place that can carry a mark, in the order in which providers read.
pub(super) fn last_place(prompt: &Prompt, style: Marks) -> Option<usize> {
    prompt
        .places
        .iter()
        .enumerate()
        .filter(|(_, place)| carries(style, place) == Carries::Yes)
        .map(|(index, _)| index)
        .max_by_key(|index| order(prompt, *index))
}

/// Orders places as providers read them: tools, system, messages.
pub(super) fn order(prompt: &Prompt, place: usize) -> (Option<Section>, usize) {
    (prompt.places.get(place).map(|place| place.section), place)
}

/// The lifetime that a mark asks for, in the terms of `cache_control`.
fn lifetime(mark: &Mark) -> Ttl {
    match (mark.kind, mark.ttl) {
        (MarkKind::CacheControl, Some((Ttl::OneHour, _))) => Ttl::OneHour,
        _ => Ttl::FiveMinutes,
    }
}
