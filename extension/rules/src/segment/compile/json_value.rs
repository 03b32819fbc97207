//! Custom fields that are no texts, and counters. A stored value of another type is never cast: it makes the test false.

use super::super::decimal::Decimal;
use super::super::field::{Field, Kind};
use super::super::operand::Operand;
use super::super::operator::Operator;
use super::{Compiler, negated, two_valued};

impl Compiler<'_> {
    pub(super) fn custom_is_empty(&mut self, field: &Field, is_negated: bool) -> String {
        let value = format!("c.custom_fields -> {}", self.custom_key(field));
        if field.kind == Kind::Choices {
            let sign = if is_negated { "not in" } else { "in" };
            return format!("(coalesce({value}, 'null') {sign} ('null', '[]'))");
        }
        let text = value.replace("->", "->>");
        if matches!(field.kind, Kind::Number | Kind::Boolean) {
            let what = if is_negated { "is not null" } else { "is null" };
            return format!("({text} {what})");
        }
        let sign = if is_negated { "<>" } else { "=" };
        format!("(coalesce({text}, '') {sign} '')")
    }

    pub(super) fn custom_boolean(&mut self, field: &Field, operand: &Operand, is_negated: bool) -> String {
        let Operand::Boolean(value) = operand else {
            unreachable!("booleans are compared with booleans")
        };
        let bind = self.binds.value(value.to_string());
        let test = format!("c.custom_fields -> {} = {bind}::jsonb", self.custom_key(field));
        two_valued(&test, is_negated)
    }

    pub(super) fn custom_number(
        &mut self,
        field: &Field,
        operator: Operator,
        operand: &Operand,
        is_negated: bool,
    ) -> String {
        let value = format!("c.custom_fields -> {}", self.custom_key(field));
        if let (Operator::Is, Operand::Number(number)) = (operator, operand) {
            let bind = self.binds.value(number.to_string());
            return two_valued(&format!("{value} = {bind}::jsonb"), is_negated);
        }
        let comparison = self.comparison(&format!("({value})::numeric"), "numeric", operator, operand);
        let test = format!("case when jsonb_typeof({value}) = 'number' then {comparison} else false end");
        negated(&test, is_negated)
    }

    /// `messages_sent`, `messages_received`: required whole numbers.
    pub(super) fn count(
        &mut self,
        field: &Field,
        operator: Operator,
        operand: &Operand,
        is_negated: bool,
    ) -> String {
        let comparison = self.comparison(&format!("c.{}", field.name), "int", operator, operand);
        negated(&comparison, is_negated)
    }

    fn comparison(&mut self, value: &str, sql_type: &str, operator: Operator, operand: &Operand) -> String {
        let sign = match operator {
            Operator::Is => "=",
            Operator::GreaterThan => ">",
            Operator::AtLeast => ">=",
            Operator::LessThan => "<",
            Operator::AtMost => "<=",
            _ => "between",
        };
        let mut bind = |number: &Decimal| format!("{}::{sql_type}", self.binds.value(number.to_string()));
        match operand {
            Operand::Number(number) => format!("{value} {sign} {}", bind(number)),
            Operand::Range(low, high) => format!("{value} between {} and {}", bind(low), bind(high)),
            _ => unreachable!("numbers are compared with numbers"),
        }
    }

    pub(super) fn choices(
        &mut self,
        field: &Field,
        operator: Operator,
        operand: &Operand,
        is_negated: bool,
    ) -> String {
        let Operand::Texts(values) = operand else {
            unreachable!("choices are compared with lists")
        };
        let value = format!("c.custom_fields -> {}", self.custom_key(field));
        let sign = if operator == Operator::HasAllOf {
            "?&"
        } else {
            "?|"
        };
        let values = self.binds.array(values.iter().cloned());
        two_valued(
            &format!("{value} {sign} {values} and jsonb_typeof({value}) = 'array'"),
            is_negated,
        )
    }
}
