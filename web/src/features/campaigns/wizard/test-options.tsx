import { Group, NativeSelect, Radio, Stack, Switch, Text } from '@mantine/core';
import { NumberField } from '@/components/number-field';
import type { Test } from '../model';
import type { DraftTest, DraftValues } from './draft';
import classes from './wizard.module.css';

interface TestOptionsProps {
  values: DraftValues;
  set: (change: Partial<DraftValues>) => void;
}

const usual: Test = { percent: 20, hours: 6, measure: 'read', choose: 'automatic' };

/** How variants are compared, and who gets nothing so that the effect can be measured. */
export function TestOptions({ values, set }: TestOptionsProps) {
  const { test, holdout_percent, variants } = values;
  const change = (part: Partial<DraftTest>) => set({ test: { ...(test ?? usual), ...part } });
  return (
    <Stack gap="md">
      {variants.length > 1 && (
        <section className={classes.options} aria-label="Test">
          <Switch
            checked={test !== null}
            onChange={(event) => set({ test: event.currentTarget.checked ? usual : null })}
            label="Test on a part first, then send the better one to the rest"
            description={
              test
                ? undefined
                : 'Off: everybody gets one of the variants at once, and you compare them afterwards.'
            }
          />
          {test && (
            <>
              <Group gap="sm" align="flex-start">
                <NumberField
                  label="Test with"
                  w={130}
                  min={1}
                  max={90}
                  suffix=" %"
                  allowDecimal={false}
                  value={test.percent}
                  onChange={(percent) => change({ percent })}
                />
                <NativeSelect
                  label="for"
                  w={130}
                  value={String(test.hours)}
                  onChange={(event) => change({ hours: Number(event.currentTarget.value) })}
                  data={[2, 6, 12, 24].map((hours) => ({ value: String(hours), label: `${hours} hours` }))}
                />
                <NativeSelect
                  label="and compare"
                  w={190}
                  value={test.measure}
                  onChange={(event) => change({ measure: event.currentTarget.value as Test['measure'] })}
                  data={[
                    { value: 'read', label: 'how many read it' },
                    { value: 'reply', label: 'how many reply' },
                  ]}
                />
              </Group>
              <Radio.Group
                label="When the time is over"
                value={test.choose}
                onChange={(choose) => change({ choose: choose as Test['choose'] })}
              >
                <Stack gap={4} mt={6}>
                  <Radio
                    value="automatic"
                    className={classes.radio}
                    label="Send the better one to the rest by itself"
                    description="If the test can’t tell which is better, the one that is ahead."
                  />
                  <Radio value="manual" className={classes.radio} label="Wait until somebody chooses" />
                </Stack>
              </Radio.Group>
            </>
          )}
        </section>
      )}
      <section className={classes.options} aria-label="Hold-out group">
        <Switch
          checked={holdout_percent !== 0}
          onChange={(event) => set({ holdout_percent: event.currentTarget.checked ? 10 : 0 })}
          label="Hold out a group, to see what the campaign changed"
          description="A part of the audience, chosen at random, gets nothing. What it does anyway is compared."
        />
        {holdout_percent !== 0 && (
          <>
            <NumberField
              label="Held out"
              w={130}
              min={1}
              max={50}
              suffix=" %"
              allowDecimal={false}
              value={holdout_percent}
              onChange={(percent) => set({ holdout_percent: percent })}
            />
            <Text size="sm" c="dimmed">
              Sensible from some thousand people on.
            </Text>
          </>
        )}
      </section>
    </Stack>
  );
}
