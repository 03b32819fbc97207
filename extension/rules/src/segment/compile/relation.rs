//! Rows of other tables. `exists` on the keys, which the planner turns into semi and anti joins or hashed subplans.

use super::super::operand::Operand;
use super::super::operator::Operator;
use super::Compiler;

/// Up to this many tags each is looked up by itself; beyond, they are counted in one go.
const MAX_SINGLE_LOOKUPS: usize = 3;

impl Compiler<'_> {
    fn organisation(&mut self) -> String {
        match self.org_id {
            Some(id) => format!("{}::uuid", self.binds.value(id)),
            None => "c.org_id".into(),
        }
    }

    pub(super) fn tags(&mut self, operator: Operator, operand: &Operand, is_negated: bool) -> String {
        let tagged = format!(
            "select from public.contact_tags t where t.org_id = {} and t.contact_id = c.id",
            self.organisation()
        );
        let Operand::Ids(ids) = operand else {
            return exists(&tagged, !is_negated);
        };
        if operator != Operator::HasAllOf || ids.len() == 1 {
            return match ids.as_slice() {
                [only] => {
                    let tag = self.binds.value(only.to_string());
                    exists(&format!("{tagged} and t.tag_id = {tag}::uuid"), is_negated)
                }
                _ => {
                    let tags = self.binds.array(ids.iter().map(|id| id.to_string()));
                    exists(
                        &format!("{tagged} and t.tag_id = any ({tags}::uuid[])"),
                        is_negated,
                    )
                }
            };
        }
        if ids.len() <= MAX_SINGLE_LOOKUPS {
            let each = ids.iter().map(|id| {
                let tag = self.binds.value(id.to_string());
                exists(&format!("{tagged} and t.tag_id = {tag}::uuid"), is_negated)
            });
            let joint = if is_negated { " or " } else { " and " };
            return format!("({})", each.collect::<Vec<_>>().join(joint));
        }
        let count = self.binds.value(ids.len().to_string());
        let tags = self.binds.array(ids.iter().map(|id| id.to_string()));
        let counted = tagged.replacen("select", "select count(*)", 1);
        let sign = if is_negated { "<" } else { "=" };
        format!("(({counted} and t.tag_id = any ({tags}::uuid[])) {sign} {count}::int)")
    }

    pub(super) fn conversation(&mut self, is_active: bool, is_negated: bool) -> String {
        let status = if is_active {
            " and v.status in ('open', 'pending')"
        } else {
            ""
        };
        let organisation = self.organisation();
        let rows = format!(
            "select from public.conversations v where v.org_id = {organisation} and v.contact_id = c.id{status}"
        );
        exists(&rows, is_negated)
    }

    /// Only members of the same organisation are ever in a segment, so its id says enough.
    pub(super) fn segment(&mut self, operand: &Operand, is_negated: bool) -> String {
        let segment = self.id(operand);
        exists(
            &format!(
                "select from public.segment_members m where m.segment_id = {segment} and m.contact_id = c.id"
            ),
            is_negated,
        )
    }

    pub(super) fn campaign(&mut self, operator: Operator, operand: &Operand, is_negated: bool) -> String {
        let reaction = match operator {
            Operator::Received => "received_at",
            Operator::Read => "read_at",
            Operator::Replied => "replied_at",
            _ => "clicked_at",
        };
        let (organisation, campaign) = (self.organisation(), self.id(operand));
        exists(
            &format!(
                "select from private.campaign_reactions r where r.org_id = {organisation} and r.contact_id = c.id \
                 and r.campaign_id = {campaign} and r.{reaction} is not null"
            ),
            is_negated,
        )
    }

    pub(super) fn flow(&mut self, operator: Operator, operand: &Operand, is_negated: bool) -> String {
        let status = if operator == Operator::InProgress {
            "in_progress"
        } else {
            "completed"
        };
        let (organisation, flow) = (self.organisation(), self.id(operand));
        exists(
            &format!(
                "select from private.flow_runs f where f.org_id = {organisation} and f.contact_id = c.id \
                 and f.flow_id = {flow} and f.status = '{status}'"
            ),
            is_negated,
        )
    }

    fn id(&mut self, operand: &Operand) -> String {
        let Operand::Id(id) = operand else {
            unreachable!("relations are asked for by id")
        };
        format!("{}::uuid", self.binds.value(id.to_string()))
    }
}

fn exists(rows: &str, is_negated: bool) -> String {
    if is_negated {
        format!("(not exists ({rows}))")
    } else {
        format!("(exists ({rows}))")
    }
}
