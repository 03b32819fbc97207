import { Alert, Button, Group, SegmentedControl, Text, TextInput } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useRef, useState } from 'react';
import { useUser } from '@/features/auth/session';
import { accountsQuery } from '@/features/whatsapp/queries';
import { describeError } from '@/lib/errors';
import { redirectOf } from '../link-origin';
import { isAtMeta, type Template } from '../model';
import { PhonePreview } from '../preview/phone-preview';
import { problemWords } from '../words';
import { Basics, FormatChoice } from './basics';
import { ButtonsEditor } from './buttons-editor';
import { CardsEditor } from './cards-editor';
import { CodeEditor } from './code-editor';
import { Editor, type EditorContext, jumpTo, useEditor, useField } from './context';
import classes from './editor.module.css';
import { FieldWarning } from './field-warning';
import { HeaderEditor } from './header-editor';
import { OtherVersion } from './other-version';
import { sectionOf } from './places';
import { ProblemList } from './problem-list';
import { renderValues } from './render';
import { Review } from './review';
import { SaveState } from './save-state';
import { TextWithVariables } from './text-with-variables';
import { useProblems } from './use-problems';
import { useTemplateDraft } from './use-template-draft';
import { type EditorValues, newId } from './values';

interface TemplateFormProps {
  orgId: string;
  /** Absent for a new one. */
  template?: Template;
  start: EditorValues;
  linkOrigin: string;
  step: 'edit' | 'review';
  onStep: (step: 'edit' | 'review') => void;
  /** The draft has a row of its own now. */
  onCreated: (template: Template) => void;
}

const FIXED = 'Meta keeps this for good. Duplicate the template to have it otherwise.';

/** Makes or changes a template: its parts at the left, the phone at the right, and the page that submits it. */
export function TemplateForm({
  orgId,
  template,
  start,
  linkOrigin,
  step,
  onStep,
  onCreated,
}: TemplateFormProps) {
  const user = useUser();
  const draft = useTemplateDraft({ orgId, userId: user.id, template, start, onCreated });
  const { values, fields, row, change } = draft;
  const checked = useProblems(orgId, values, fields, row?.id);
  const accounts = useQuery(accountsQuery(orgId));
  const [asked, setAsked] = useState(false);
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const touch = useCallback((field: string) => {
    const section = sectionOf(field);
    setTouched((old) => (old.has(section) ? old : new Set([...old, section])));
  }, []);

  const isTaken = draft.error !== undefined && describeError(draft.error).code === 'TEMPLATE_005';
  const problems = useMemo(() => {
    const { problems: all } = checked;
    if (!isTaken || all.some((problem) => problem.field === 'name')) return all;
    const taken = 'You already have a template with this name and language.';
    return [
      { path: '/name', severity: 'error' as const, code: 'name_taken', message: taken, field: 'name' },
      ...all,
    ];
  }, [checked, isTaken]);
  const shown = useMemo(
    () =>
      asked
        ? problems
        : problems.filter((problem) => {
            const section = sectionOf(problem.field);
            // Whether the category fits is a matter of the words.
            const isOpen = touched.has(section) || (section === 'category' && touched.has('body'));
            return isOpen && problem.code !== 'missing';
          }),
    [asked, problems, touched],
  );
  const editor = useMemo<EditorContext>(
    () => ({
      orgId,
      values,
      change,
      problems: shown,
      touch,
      redirect: redirectOf(linkOrigin),
      fixed: row && isAtMeta(row) ? FIXED : undefined,
      fixedCategory: row && isAtMeta(row) && row.status === 'approved' ? FIXED : undefined,
    }),
    [orgId, values, change, shown, touch, linkOrigin, row],
  );
  const account = accounts.data?.find((each) => !values.wabaId || each.waba_id === values.wabaId);

  const goOn = () => {
    setAsked(true);
    const first = problems.find((problem) => problem.severity === 'error');
    if (first) jumpTo(first.field);
    else onStep('review');
  };
  if (step === 'review') {
    return (
      <Review
        orgId={orgId}
        draft={draft}
        problems={{ ...checked, problems }}
        onBack={() => onStep('edit')}
        onJump={(field) => {
          setAsked(true);
          onStep('edit');
          // Its field is drawn with the next frame.
          requestAnimationFrame(() => requestAnimationFrame(() => jumpTo(field)));
        }}
      />
    );
  }
  return (
    <Editor value={editor}>
      <div className={classes.form}>
        <div className={classes.editor}>
          {draft.isRestored && draft.isDirty && (
            <Alert color="blue" variant="light" icon={<IconHistory aria-hidden />}>
              <Group justify="space-between" gap="xs">
                <Text size="sm">
                  {draft.isRefused
                    ? 'Meta didn’t take this change. Your words are still here: mend them and send them again.'
                    : 'We kept what you hadn’t saved.'}
                  {draft.isRefused && row?.problem && (
                    <Text size="sm" c="dimmed" component="span" display="block">
                      {problemWords(row.problem)}
                    </Text>
                  )}
                </Text>
                <Button size="xs" variant="default" onClick={draft.startOver}>
                  Start over
                </Button>
              </Group>
            </Alert>
          )}
          <OtherVersion draft={draft} />
          <section className={classes.part} aria-label="Name and category">
            <Basics />
          </section>
          <section className={classes.part} aria-label="Message">
            {values.category === 'authentication' ? <CodeEditor /> : <Message />}
          </section>
          <ProblemList problems={shown} onJump={jumpTo} />
        </div>
        <aside className={classes.truth} aria-label="Preview">
          <PhonePreview
            rendered={renderValues(values)}
            sender={account?.verified_name ?? undefined}
            caption="With your samples"
          />
        </aside>
        <div className={classes.foot}>
          <div className={classes.saved} role="status">
            <SaveState draft={draft} onRetry={() => void draft.flush().catch(() => {})} />
          </div>
          <Button size="md" onClick={goOn}>
            Review and submit
          </Button>
        </div>
      </div>
    </Editor>
  );
}

/** The parts of a marketing or utility template, in the order the phone shows them. */
function Message() {
  const { values, change } = useEditor();
  const hasCards = values.cards.length > 0;
  // Who looks at the other way and comes back finds the cards as they were.
  const laidAside = useRef<EditorValues['cards']>([]);
  const showBelow = (below: string) => {
    if (below === 'cards') {
      change({ cards: laidAside.current.length > 0 ? laidAside.current : [emptyCard(), emptyCard()] });
    } else {
      laidAside.current = values.cards;
      change({ cards: [] });
    }
  };
  return (
    <div className={classes.group} style={{ gap: 20 }}>
      <div className={classes.tools} style={{ gap: 16 }}>
        <FormatChoice />
        <div>
          <Text size="sm" fw={500} mb={4} id="below-label">
            Below the text
          </Text>
          <SegmentedControl
            aria-labelledby="below-label"
            value={hasCards ? 'cards' : 'buttons'}
            onChange={showBelow}
            data={[
              { value: 'buttons', label: 'Footer and buttons' },
              { value: 'cards', label: 'Cards' },
            ]}
          />
        </div>
      </div>
      {!hasCards && <HeaderEditor />}
      <TextWithVariables
        field="body"
        place="body"
        label="Body"
        text={values.body}
        onChange={(body) => change({ body })}
        limit={1_024}
        required
      />
      {hasCards ? (
        <CardsEditor />
      ) : (
        <>
          <Footer />
          <ButtonsEditor />
        </>
      )}
    </div>
  );
}

const emptyCard = (): EditorValues['cards'][number] => ({ id: newId(), body: '', buttons: [] });

function Footer() {
  const { values, change } = useEditor();
  const { props, warning } = useField('footer');
  return (
    <div>
      <TextInput
        {...props}
        label="Footer"
        description="A small line below, without variables"
        dir="auto"
        value={values.footer}
        onChange={(event) => change({ footer: event.currentTarget.value })}
      />
      <div className={classes.tools}>
        <Text size="sm" c={[...values.footer].length > 60 ? 'red' : 'dimmed'} className={classes.counter}>
          {[...values.footer].length} / 60
        </Text>
      </div>
      <FieldWarning>{warning}</FieldWarning>
    </div>
  );
}
