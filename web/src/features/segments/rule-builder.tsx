import { Button, Group, Skeleton, Stack, Text, VisuallyHidden } from '@mantine/core';
import { IconArrowBackUp, IconArrowForwardUp } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import {
  type KeyboardEvent,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from 'react';
import { LoadProblem } from '@/components/problem';
import { type BuilderContext, BuilderProvider, type NodeProblems, problemWords } from './builder-context';
import { categoryName } from './categories';
import { type Action, type Outcome, perform } from './edits';
import { GroupBox } from './group-box';
import { useRuleHistory } from './history';
import type { Field, Match, RuleGroup, RuleProblem } from './model';
import { catalogQuery } from './queries';
import classes from './rule-builder.module.css';
import { type EditLeaf, leaves, MAX_LEAVES, nodeAt, setLeaf, setMatch } from './tree';

export interface RuleBuilderHandle {
  /** Puts the focus on what a problem is about. */
  focusProblem: (path: string) => void;
}

export interface RuleBuilderProps {
  orgId: string;
  value: RuleGroup;
  /**
   * Rules still being written have `value: null`; `finishedRules` of model.ts leaves those out, which is what can be
   * counted or used as a filter already.
   */
  onChange: (rules: RuleGroup) => void;
  problems?: RuleProblem[];
  /** The segment being edited, which cannot hold itself. */
  segmentId?: string;
  ref?: Ref<RuleBuilderHandle>;
}

/** Nested rules, from the catalogue of fields the database gives. Everything works by keyboard. */
export function RuleBuilder(props: RuleBuilderProps) {
  const catalog = useQuery(catalogQuery(props.orgId));
  if (catalog.isPending) {
    return (
      <Stack role="status" aria-label="Loading" gap="sm">
        <Skeleton height={36} width={220} />
        <Skeleton height={44} />
        <Skeleton height={44} />
      </Stack>
    );
  }
  if (catalog.isError)
    return (
      <LoadProblem
        error={catalog.error}
        what="what rules can look at"
        onRetry={() => void catalog.refetch()}
      />
    );
  return <Editor {...props} catalog={catalog.data} />;
}

const partSelector = ({ id, part }: NonNullable<Outcome['focus']>) =>
  `[data-node="${id}"] [data-part="${part}"]`;

function Editor({
  orgId,
  value,
  onChange,
  problems,
  segmentId,
  ref,
  catalog,
}: RuleBuilderProps & { catalog: Field[] }) {
  const history = useRuleHistory(value, onChange);
  const { tree, change } = history;
  const box = useRef<HTMLDivElement>(null);
  const focus = useRef<Outcome['focus']>(undefined);
  const [said, setSaid] = useState('');

  const goTo = useCallback((target: NonNullable<Outcome['focus']>) => {
    const within = box.current;
    const control =
      within?.querySelector<HTMLElement>(partSelector(target)) ??
      within?.querySelector<HTMLElement>(`[data-node="${target.id}"] :is(input, select, button)`);
    control?.focus();
  }, []);
  useEffect(() => {
    const target = focus.current;
    focus.current = undefined;
    if (target && tree) goTo(target);
  }, [tree, goTo]);
  useImperativeHandle(ref, () => ({ focusProblem: (path) => goTo(nodeAt(tree, path)) }), [tree, goTo]);

  const context = useMemo<BuilderContext>(() => {
    const act = (action: Action, id: string) => {
      change((old) => {
        const outcome = perform(old, action, id);
        focus.current = outcome.focus;
        setSaid(outcome.said);
        return outcome.tree;
      });
    };
    return {
      orgId,
      segmentId,
      fields: new Map(catalog.map((field) => [field.field, field])),
      fieldChoices: groupFields(catalog),
      act,
      setLeaf: (id: string, leaf: Omit<EditLeaf, 'id'>) =>
        void change((old) => setLeaf(old, id, leaf), `${id} ${leaf.field} ${leaf.operator}`),
      setMatch: (id: string, match: Match) => void change((old) => setMatch(old, id, match)),
    };
  }, [orgId, segmentId, catalog, change]);

  const byNode = useMemo(() => {
    const map = new Map<string, NodeProblems>();
    for (const problem of problems ?? []) {
      const { id, part } = nodeAt(tree, problem.path);
      map.set(id, { [part]: problemWords(problem), ...map.get(id) });
    }
    return map;
  }, [problems, tree]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const isUndo = key === 'z' && !event.shiftKey;
    const isRedo = key === 'y' || (key === 'z' && event.shiftKey);
    if (!isUndo && !isRedo) return;
    event.preventDefault();
    event.stopPropagation();
    if (isUndo && history.canUndo) {
      history.undo();
      setSaid('Undone.');
    }
    if (isRedo && history.canRedo) {
      history.redo();
      setSaid('Done again.');
    }
    // What had the focus may be gone with the step.
    requestAnimationFrame(() => {
      if (!box.current?.contains(document.activeElement)) box.current?.focus();
    });
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
    <div
      ref={box}
      className={classes.builder}
      role="group"
      aria-label="Rules"
      tabIndex={-1}
      onKeyDownCapture={onKeyDown}
    >
      <BuilderProvider value={context}>
        <GroupBox group={tree} problems={byNode} place={undefined} />
      </BuilderProvider>
      <Group justify="space-between" mt="xs" gap="xs">
        <Group gap={4}>
          <Button
            variant="subtle"
            color="gray"
            size="xs"
            leftSection={<IconArrowBackUp size={16} />}
            disabled={!history.canUndo}
            onClick={history.undo}
            aria-keyshortcuts="Control+Z Meta+Z"
            title="Ctrl+Z"
          >
            Undo
          </Button>
          <Button
            variant="subtle"
            color="gray"
            size="xs"
            leftSection={<IconArrowForwardUp size={16} />}
            disabled={!history.canRedo}
            onClick={history.redo}
            aria-keyshortcuts="Control+Shift+Z Meta+Shift+Z"
            title="Ctrl+Shift+Z"
          >
            Redo
          </Button>
        </Group>
        {leaves(tree) >= MAX_LEAVES && (
          <Text size="sm" c="dimmed">
            You’ve reached {MAX_LEAVES} rules, which is the most.
          </Text>
        )}
      </Group>
      <VisuallyHidden role="status" aria-live="polite">
        {said}
      </VisuallyHidden>
    </div>
  );
}

function groupFields(catalog: Field[]): BuilderContext['fieldChoices'] {
  const groups = new Map<string, { value: string; label: string }[]>();
  for (const { category, field, label } of catalog) {
    const items = groups.get(category) ?? [];
    items.push({ value: field, label });
    groups.set(category, items);
  }
  return [...groups].map(([category, items]) => ({ group: categoryName(category), items }));
}
