import { Badge, Button, Group, Skeleton, Stack, Tabs, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { NumberField } from '@/components/number-field';
import { LoadProblem } from '@/components/problem';
import { languageName } from '@/features/templates/languages';
import { useOrg } from '@/features/tenancy/queries';
import { accountsQuery } from '@/features/whatsapp/queries';
import { categoryNames, templateQuery } from '../templates';
import { variantName } from '../words';
import { ContentPreview } from './content-preview';
import { type DraftVariant, emptyVariant, equalShares, MOST_VARIANTS, shareProblem } from './draft';
import type { StepProps } from './setup-step';
import { TemplatePicker } from './template-picker';
import { TestOptions } from './test-options';
import { VariableMapping } from './variable-mapping';
import classes from './wizard.module.css';

/** Which template goes out with which values, in up to three variants; beside it, how it looks. */
export function ContentStep({ draft, campaign, problem }: StepProps) {
  const { values, set } = draft;
  const { variants } = values;
  const { orgId } = useOrg();
  const accounts = useQuery(accountsQuery(orgId));
  const wabaId = accounts.data?.find(({ id }) => id === values.whatsapp_account_id)?.waba_id;
  const [shown, setShown] = useState(0);
  const at = Math.min(shown, variants.length - 1);
  const variant = variants[at] ?? emptyVariant;
  const change = useCallback(
    (part: Partial<DraftVariant>) =>
      set({ variants: variants.map((each, index) => (index === at ? { ...each, ...part } : each)) }),
    [set, variants, at],
  );
  const add = () => {
    set({ variants: equalShares([...variants, { ...emptyVariant }]) });
    setShown(variants.length);
  };
  const remove = () => {
    const left = equalShares(variants.filter((_, index) => index !== at));
    set({ variants: left, ...(left.length === 1 && { test: null }) });
    setShown(Math.max(0, at - 1));
  };
  const isTest = variants.length > 1;
  return (
    <div className={classes.columns}>
      <Stack gap="md" className={classes.editor}>
        {isTest && (
          <Tabs value={String(at)} onChange={(value) => setShown(Number(value ?? 0))}>
            <Tabs.List aria-label="Variants">
              {variants.map(({ share }, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: variants are known by their position
                <Tabs.Tab key={index} value={String(index)} className={classes.tab}>
                  {variantName(index + 1)} · {share ?? '–'} %
                </Tabs.Tab>
              ))}
            </Tabs.List>
          </Tabs>
        )}
        <OneVariant key={at} variant={variant} wabaId={wabaId} onChange={change} problem={problem} />
        {isTest && (
          <Group align="flex-end" gap="sm">
            <NumberField
              label={`Share of ${variantName(at + 1)}`}
              w={180}
              min={1}
              max={98}
              suffix=" %"
              allowDecimal={false}
              value={variant.share}
              onChange={(share) => change({ share })}
              // What is wrong with the shares is said below, of all of them.
              missing={null}
              error={variant.share === null}
            />
            <Button variant="default" onClick={() => set({ variants: equalShares(variants) })}>
              Equal shares
            </Button>
            <Button variant="default" onClick={remove}>
              Remove {variantName(at + 1)}
            </Button>
          </Group>
        )}
        {isTest && shareProblem(variants) && (
          <Text size="sm" c="red" role="alert">
            {shareProblem(variants)}
          </Text>
        )}
        {variants[0]?.template_id && variants.length < MOST_VARIANTS && (
          <Group>
            <Button variant="default" leftSection={<IconPlus size={18} />} onClick={add}>
              {isTest ? 'Add a third variant' : 'Compare with another variant'}
            </Button>
          </Group>
        )}
        <TestOptions values={values} set={set} />
      </Stack>
      <aside className={classes.truth} aria-label="Preview">
        <ContentPreview draft={draft} campaign={campaign} position={at + 1} />
      </aside>
    </div>
  );
}

interface OneVariantProps {
  variant: DraftVariant;
  wabaId: string | undefined;
  onChange: (change: Partial<DraftVariant>) => void;
  problem: string | undefined;
}

function OneVariant({ variant, wabaId, onChange, problem }: OneVariantProps) {
  const { orgId } = useOrg();
  const [picking, setPicking] = useState(false);
  const template = useQuery({
    ...templateQuery(orgId, variant.template_id ?? ''),
    enabled: variant.template_id !== null,
  });
  if (!variant.template_id || picking)
    return (
      <section aria-label="Choose a template">
        {problem && !variant.template_id && (
          <Text size="sm" c="red" mb={8}>
            {problem}
          </Text>
        )}
        <TemplatePicker
          wabaId={wabaId}
          onPick={({ id }) => {
            setPicking(false);
            if (id !== variant.template_id) onChange({ template_id: id, variables: {}, links: {} });
          }}
        />
        {picking && (
          <Button variant="default" mt="sm" onClick={() => setPicking(false)}>
            Keep the one chosen
          </Button>
        )}
      </section>
    );
  if (template.isError)
    return (
      <Stack>
        <LoadProblem error={template.error} what="the template" onRetry={() => void template.refetch()} />
        <Button variant="default" onClick={() => setPicking(true)}>
          Choose another
        </Button>
      </Stack>
    );
  if (!template.data) return <Skeleton height={160} role="status" aria-label="Loading" />;
  const { name, category, language, status } = template.data;
  return (
    <Stack gap="md">
      <div className={classes.chosen}>
        <div className={classes.grow}>
          <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
            {name}
          </Text>
          <Text size="sm" c="dimmed">
            {categoryNames[category] ?? category} · {languageName(language)}
          </Text>
        </div>
        {status !== 'approved' && (
          <Badge color="red" variant="light">
            Not approved
          </Badge>
        )}
        <Button variant="default" onClick={() => setPicking(true)}>
          Change
        </Button>
      </div>
      <VariableMapping
        template={template.data}
        variant={variant}
        onChange={onChange}
        asked={problem !== undefined}
      />
    </Stack>
  );
}
