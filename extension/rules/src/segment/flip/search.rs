//! Branch and bound over changed variables.
//!
//! While the root is not yet as wanted, some leaf must change in every solution: descending from the root, a group that
//! needs all its children leads to one that is wrong, a group that needs one offers all of them. Trying every variable
//! that can change one of the leaves so found loses no solution.

use std::collections::BTreeSet;
use uuid::Uuid;

use super::super::evaluate::joined;
use super::super::operand::Operand;
use super::super::operator::Operator;
use super::super::shape::Match;
use super::change::{Action, Change};
use super::variable::{Bits, Branch, Model, TAGS, Tree};

/// Changed trees looked at, a few microseconds each.
pub const MAX_STEPS: usize = 5_000;

/// One change; what only the contact can do costs a little more, which decides between equally many.
const CHANGE: u32 = 256;
const NOT_EDITABLE: u32 = 1;

/// More than any number of changes.
const IMPOSSIBLE: u32 = u32::MAX / 4;

pub struct Search<'m, 'a> {
    model: &'m Model<'a>,
    wanted: bool,
    steps: usize,
    best: Option<(u32, Vec<Change>)>,
}

/// How far one line of the search has come.
#[derive(Clone)]
struct State {
    truth: Bits,
    /// Variables that have been given a value.
    changed: u128,
    added: BTreeSet<Uuid>,
    removed: BTreeSet<Uuid>,
    has_any_tag: bool,
    cost: u32,
    changes: Vec<Change>,
}

impl<'m, 'a> Search<'m, 'a> {
    pub fn new(model: &'m Model<'a>, wanted: bool) -> Self {
        Search {
            model,
            wanted,
            steps: 0,
            best: None,
        }
    }

    /// The fewest changes, editable ones where there is a choice.
    pub fn run(mut self) -> Option<Vec<Change>> {
        let start = State {
            truth: self.model.truth,
            changed: 0,
            added: BTreeSet::new(),
            removed: BTreeSet::new(),
            has_any_tag: false,
            cost: 0,
            changes: Vec::new(),
        };
        self.extend(start);
        self.best.map(|(_, changes)| changes)
    }

    fn extend(&mut self, state: State) {
        let bound = self.least(&self.model.root, self.wanted, &state);
        let is_hopeless = bound >= IMPOSSIBLE;
        let is_worse = self
            .best
            .as_ref()
            .is_some_and(|(best, _)| state.cost + bound * CHANGE >= *best);
        if is_hopeless || is_worse {
            return;
        }
        if self.is_true(&self.model.root, state.truth) == self.wanted {
            self.best = Some((state.cost, state.changes));
            return;
        }
        let mut moves: Vec<State> = Vec::new();
        for (leaf, wanted) in self.needed(&self.model.root, self.wanted, &state) {
            moves.extend(self.moves(leaf, wanted, &state));
        }
        self.steps += moves.len();
        // What brings the root nearest goes first, so that the first answer is already a good one.
        moves.sort_by_cached_key(|next| next.cost + self.least(&self.model.root, self.wanted, next) * CHANGE);
        for next in moves {
            self.extend(next);
            if self.steps >= MAX_STEPS {
                return;
            }
        }
    }

    fn is_true(&self, branch: &Branch, truth: Bits) -> bool {
        match &branch.tree {
            Tree::Leaf(leaf) => truth >> leaf & 1 == 1,
            Tree::Group(matching, children) => {
                joined(*matching, children.iter().map(|child| self.is_true(child, truth)))
            }
        }
    }

    /// Whether a group needs all its children for that truth, and which truth each must have.
    fn demand(matching: Match, wanted: bool) -> (bool, bool) {
        match matching {
            Match::All => (wanted, wanted),
            Match::Any => (!wanted, wanted),
            Match::None => (wanted, !wanted),
        }
    }

    /// A number of changes below which the branch cannot become what is wanted.
    fn least(&self, branch: &Branch, wanted: bool, state: &State) -> u32 {
        if self.is_true(branch, state.truth) == wanted {
            return 0;
        }
        let (matching, children) = match &branch.tree {
            Tree::Leaf(leaf) => {
                let is_possible = match self.model.variable_of[*leaf] {
                    TAGS => true,
                    variable => self.outcomes(variable, *leaf, wanted, state).next().is_some(),
                };
                return if is_possible { 1 } else { IMPOSSIBLE };
            }
            Tree::Group(matching, children) => (*matching, children),
        };
        let (needs_all, child_wanted) = Self::demand(matching, wanted);
        let least = children
            .iter()
            .map(|child| (self.least(child, child_wanted, state), child.variables));
        if !needs_all {
            return least.map(|(least, _)| least).min().unwrap_or(IMPOSSIBLE);
        }
        // Children that share a variable may be served by one change; only those that share none add up.
        let mut least: Vec<(u32, u128)> = least.filter(|(least, _)| *least > 0).collect();
        least.sort_by_key(|(least, _)| std::cmp::Reverse(*least));
        let mut counted = 0u128;
        let mut sum = 0;
        for (least, variables) in least {
            if counted & variables == 0 {
                counted |= variables;
                sum = (sum + least).min(IMPOSSIBLE);
            }
        }
        sum
    }

    /// Leaves of which at least one must change, and what each must become.
    fn needed(&self, branch: &Branch, wanted: bool, state: &State) -> Vec<(usize, bool)> {
        if self.is_true(branch, state.truth) == wanted {
            return Vec::new();
        }
        let (matching, children) = match &branch.tree {
            Tree::Leaf(leaf) => return vec![(*leaf, wanted)],
            Tree::Group(matching, children) => (*matching, children),
        };
        let (needs_all, child_wanted) = Self::demand(matching, wanted);
        let wrong = children
            .iter()
            .filter(|child| self.is_true(child, state.truth) != child_wanted);
        let each = wrong.map(|child| self.needed(child, child_wanted, state));
        if needs_all {
            each.min_by_key(Vec::len).unwrap_or_default()
        } else {
            each.flatten().collect()
        }
    }

    fn outcomes(
        &self,
        variable: usize,
        leaf: usize,
        wanted: bool,
        state: &State,
    ) -> impl Iterator<Item = usize> {
        let is_free = state.changed >> variable & 1 == 0;
        let outcomes = self.model.variables[variable].outcomes.iter().enumerate();
        outcomes
            .filter(move |(_, outcome)| is_free && (outcome.truth >> leaf & 1 == 1) == wanted)
            .map(|(number, _)| number)
    }

    fn moves(&self, leaf: usize, wanted: bool, state: &State) -> Vec<State> {
        let number = self.model.variable_of[leaf];
        if number == TAGS {
            return self.tag_moves(leaf, wanted, state);
        }
        let variable = &self.model.variables[number];
        self.outcomes(number, leaf, wanted, state)
            .map(|outcome| {
                let outcome = &variable.outcomes[outcome];
                let mut next = state.clone();
                next.truth = next.truth & !variable.leaves | outcome.truth;
                next.changed |= 1 << number;
                next.cost += CHANGE + if variable.is_editable { 0 } else { NOT_EDITABLE };
                next.changes.push(outcome.change.clone());
                next
            })
            .collect()
    }

    fn tag_moves(&self, leaf: usize, wanted: bool, state: &State) -> Vec<State> {
        let asked = self.model.leaves[leaf];
        let (operator, is_negated) = asked.operator.positive();
        let wanted = wanted != is_negated;
        let tags = self.tags(state);
        let addable = |id: &&Uuid| !tags.contains(*id) && !state.removed.contains(*id);
        let removable = |id: &&Uuid| tags.contains(*id) && !state.added.contains(*id);
        let Operand::Ids(ids) = &asked.operand else {
            if wanted {
                // Every tag must go, in any order; one that was just added rules this line out.
                let first = tags
                    .iter()
                    .next()
                    .filter(|_| state.added.is_empty() && !state.has_any_tag);
                return first
                    .map(|id| self.with_tag(state, Some(id), Action::Remove))
                    .into_iter()
                    .collect();
            }
            let mentioned = self.model.mentioned_tags.iter().filter(addable);
            let mut moves: Vec<State> = mentioned
                .map(|id| self.with_tag(state, Some(id), Action::Add))
                .collect();
            moves.push(self.with_tag(state, None, Action::Add));
            return moves;
        };
        let add = |id: &Uuid| self.with_tag(state, Some(id), Action::Add);
        let remove = |id: &Uuid| self.with_tag(state, Some(id), Action::Remove);
        match (operator, wanted) {
            (Operator::HasAllOf, true) => ids
                .iter()
                .find(|id| !tags.contains(*id))
                .filter(addable)
                .map(add)
                .into_iter()
                .collect(),
            (Operator::HasAllOf, false) => ids.iter().filter(removable).map(remove).collect(),
            (_, true) => ids.iter().filter(addable).map(add).collect(),
            (_, false) => ids
                .iter()
                .find(|id| tags.contains(*id))
                .filter(removable)
                .map(remove)
                .into_iter()
                .collect(),
        }
    }

    fn tags(&self, state: &State) -> BTreeSet<Uuid> {
        let kept = self.model.tags.iter().filter(|id| !state.removed.contains(*id));
        kept.chain(&state.added).copied().collect()
    }

    fn with_tag(&self, state: &State, tag: Option<&Uuid>, action: Action) -> State {
        let mut next = state.clone();
        match (tag, action) {
            (Some(tag), Action::Add) => drop(next.added.insert(*tag)),
            (Some(tag), _) => drop(next.removed.insert(*tag)),
            (None, _) => next.has_any_tag = true,
        }
        let tags = self.tags(&next);
        for (number, leaf) in self.model.leaves.iter().enumerate() {
            if self.model.variable_of[number] != TAGS {
                continue;
            }
            let (operator, is_negated) = leaf.operator.positive();
            let is_true = match &leaf.operand {
                Operand::Ids(ids) if operator == Operator::HasAllOf => ids.iter().all(|id| tags.contains(id)),
                Operand::Ids(ids) => ids.iter().any(|id| tags.contains(id)),
                _ => tags.is_empty() && !next.has_any_tag,
            };
            let bit = 1 << number;
            next.truth = if is_true != is_negated {
                next.truth | bit
            } else {
                next.truth & !bit
            };
        }
        next.cost += CHANGE;
        next.changes.push(self.model.words.tag(tag, action));
        next
    }
}
