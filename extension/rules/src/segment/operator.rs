//! The operators: their names, which negate which, and what value each takes.

/// What a leaf asks of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    Is,
    IsNot,
    Contains,
    DoesNotContain,
    StartsWith,
    EndsWith,
    IsOneOf,
    IsNoneOf,
    IsEmpty,
    IsNotEmpty,
    HasAnyOf,
    HasAllOf,
    HasNoneOf,
    GreaterThan,
    AtLeast,
    LessThan,
    AtMost,
    Between,
    Before,
    After,
    On,
    InLast,
    NotInLast,
    InNext,
    IsToday,
    AnniversaryInNext,
    AnniversaryIsToday,
    IsIn,
    IsNotIn,
    Received,
    NotReceived,
    Read,
    NotRead,
    Replied,
    NotReplied,
    Clicked,
    NotClicked,
    InProgress,
    NotInProgress,
    Completed,
    NotCompleted,
}

use Operator::*;

/// Every operator with its name in JSON and its label in the builder.
const NAMES: [(Operator, &str, &str); 41] = [
    (Is, "is", "is"),
    (IsNot, "is_not", "is not"),
    (Contains, "contains", "contains"),
    (DoesNotContain, "does_not_contain", "does not contain"),
    (StartsWith, "starts_with", "starts with"),
    (EndsWith, "ends_with", "ends with"),
    (IsOneOf, "is_one_of", "is one of"),
    (IsNoneOf, "is_none_of", "is none of"),
    (IsEmpty, "is_empty", "is empty"),
    (IsNotEmpty, "is_not_empty", "is not empty"),
    (HasAnyOf, "has_any_of", "has any of"),
    (HasAllOf, "has_all_of", "has all of"),
    (HasNoneOf, "has_none_of", "has none of"),
    (GreaterThan, "greater_than", "is greater than"),
    (AtLeast, "at_least", "is at least"),
    (LessThan, "less_than", "is less than"),
    (AtMost, "at_most", "is at most"),
    (Between, "between", "is between"),
    (Before, "before", "is before"),
    (After, "after", "is after"),
    (On, "on", "is on"),
    (InLast, "in_last", "is in the last"),
    (NotInLast, "not_in_last", "is not in the last"),
    (InNext, "in_next", "is in the next"),
    (IsToday, "is_today", "is today"),
    (
        AnniversaryInNext,
        "anniversary_in_next",
        "has its day in the next",
    ),
    (AnniversaryIsToday, "anniversary_is_today", "has its day today"),
    (IsIn, "is_in", "is in"),
    (IsNotIn, "is_not_in", "is not in"),
    (Received, "received", "received"),
    (NotReceived, "not_received", "did not receive"),
    (Read, "read", "read"),
    (NotRead, "not_read", "did not read"),
    (Replied, "replied", "replied to"),
    (NotReplied, "not_replied", "did not reply to"),
    (Clicked, "clicked", "clicked in"),
    (NotClicked, "not_clicked", "did not click in"),
    (InProgress, "in_progress", "is in"),
    (NotInProgress, "not_in_progress", "is not in"),
    (Completed, "completed", "completed"),
    (NotCompleted, "not_completed", "did not complete"),
];

impl Operator {
    /// The operator of that name.
    pub fn named(name: &str) -> Option<Operator> {
        NAMES
            .iter()
            .find(|(_, known, _)| *known == name)
            .map(|(operator, ..)| *operator)
    }

    /// Every operator.
    pub fn each() -> impl Iterator<Item = Operator> {
        NAMES.into_iter().map(|(operator, ..)| operator)
    }

    /// As it stands in JSON.
    pub fn name(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// As the builder shows it.
    pub fn label(self) -> &'static str {
        NAMES[self as usize].2
    }

    /// The operator it negates, and whether it is a negation at all.
    pub fn positive(self) -> (Operator, bool) {
        let positive = match self {
            IsNot => Is,
            DoesNotContain => Contains,
            IsNoneOf => IsOneOf,
            IsNotEmpty => IsEmpty,
            HasNoneOf => HasAnyOf,
            NotInLast => InLast,
            IsNotIn => IsIn,
            NotReceived => Received,
            NotRead => Read,
            NotReplied => Replied,
            NotClicked => Clicked,
            NotInProgress => InProgress,
            NotCompleted => Completed,
            other => return (other, false),
        };
        (positive, true)
    }

    /// Whether its truth for a date can change at midnight with no write.
    pub fn follows_the_calendar(self) -> bool {
        matches!(
            self,
            InLast | NotInLast | InNext | IsToday | AnniversaryInNext | AnniversaryIsToday
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_variants_and_names_are_unique() {
        for (position, (operator, name, _)) in NAMES.into_iter().enumerate() {
            assert_eq!(operator as usize, position, "{name}");
            assert_eq!(Operator::named(name), Some(operator));
        }
    }

    #[test]
    fn a_negation_negates_a_positive_operator() {
        for operator in Operator::each() {
            let (positive, is_negated) = operator.positive();
            assert_eq!(positive.positive(), (positive, false));
            assert_eq!(is_negated, positive != operator);
        }
    }
}
