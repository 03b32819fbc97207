import { ActionIcon, Button, Group, Menu, NativeSelect, Text } from '@mantine/core';
import { IconDotsVertical, IconFolderPlus, IconPlus, IconTrash } from '@tabler/icons-react';
import { plural } from '@/lib/time';
import { type NodeProblems, type ProblemsById, useBuilder } from './builder-context';
import { type Match, matches, matchNames } from './model';
import { MoveItems, type NodePlace, onMoveKey } from './moves';
import classes from './rule-builder.module.css';
import { RuleRow } from './rule-row';
import { type EditGroup, type EditNode, isEditGroup, leaves } from './tree';

interface GroupBoxProps {
  group: EditGroup;
  problems: ProblemsById;
  /** Undefined for the group at the top, which can neither move nor go. */
  place: NodePlace | undefined;
}

const joiners: Record<Match, string> = { all: 'and', any: 'or', none: 'nor' };

export function GroupBox({ group, problems, place }: GroupBoxProps) {
  const { act, setMatch } = useBuilder();
  const own: NodeProblems | undefined = problems.get(group.id);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
    <div
      className={classes.group}
      data-node={group.id}
      data-match={group.match}
      data-top={place ? undefined : true}
      role="group"
      aria-label={`${matchNames[group.match]}: ${plural(leaves(group), 'rule')}`}
      onKeyDownCapture={place && ((event) => onMoveKey(event, group.id, act))}
    >
      <div className={classes.head}>
        <NativeSelect
          aria-label={place ? 'This group matches' : 'Contacts match'}
          value={group.match}
          onChange={(event) => setMatch(group.id, event.currentTarget.value as Match)}
          data={matches.map((value) => ({ value, label: matchNames[value] }))}
          error={own?.match}
          data-part="match"
          className={classes.match}
        />
        {place && (
          <Group gap={0} wrap="nowrap" ml="auto">
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon aria-label="More for this group" data-part="more">
                  <IconDotsVertical size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <MoveItems id={group.id} place={place} isGroup />
              </Menu.Dropdown>
            </Menu>
            <ActionIcon aria-label="Delete this group" onClick={() => act('delete', group.id)}>
              <IconTrash size={18} />
            </ActionIcon>
          </Group>
        )}
      </div>
      {group.children.length === 0 && !place && (
        <Text size="sm" c="dimmed" className={classes.nothing}>
          No rules yet: this is everybody. Add a rule to choose who belongs.
        </Text>
      )}
      <div className={classes.children}>
        {group.children.map((child, index) => (
          <div key={child.id} className={classes.child}>
            {index > 0 && <span className={classes.joiner}>{joiners[group.match]}</span>}
            {isEditGroup(child) ? (
              <GroupBox group={child} problems={problems} place={placeOf(group, index, place)} />
            ) : (
              <RuleRow leaf={child} problems={problems.get(child.id)} {...placeOf(group, index, place)} />
            )}
          </div>
        ))}
      </div>
      <Group gap="xs" className={classes.add}>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconPlus size={16} />}
          onClick={() => act('add-rule', group.id)}
          data-part="add"
        >
          Add rule
        </Button>
        <Button
          variant="subtle"
          color="gray"
          size="xs"
          leftSection={<IconFolderPlus size={16} />}
          onClick={() => act('add-group', group.id)}
        >
          Add group
        </Button>
      </Group>
    </div>
  );
}

const isGroupAt = (children: EditNode[], index: number) => {
  const node = children[index];
  return node !== undefined && isEditGroup(node);
};

const placeOf = (parent: EditGroup, index: number, above: NodePlace | undefined): NodePlace => ({
  isFirst: index === 0,
  isLast: index === parent.children.length - 1,
  hasNeighbourGroup: isGroupAt(parent.children, index + 1) || isGroupAt(parent.children, index - 1),
  isNested: above !== undefined,
});
