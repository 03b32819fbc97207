import { Alert, Group, Radio, Select, Stack, Switch, Text, TextInput } from '@mantine/core';
import { IconClock } from '@tabler/icons-react';
import { useMemo } from 'react';
import { NumberField } from '@/components/number-field';
import { timeZones } from '@/features/tenancy/places';
import { useOrg } from '@/features/tenancy/queries';
import { useNow } from '@/lib/clock';
import { momentOf, offsetWords, placeName, wallTime, zonedWords } from '../zoned';
import type { StepProps } from './setup-step';
import classes from './wizard.module.css';

const HOUR = 3_600_000;

/** Now or later, when nothing may be sent, and what happens to the few nobody can be sure of. */
export function ScheduleStep({ draft, campaign, problem }: StepProps) {
  const { organization } = useOrg();
  const { values, set } = draft;
  const zones = useMemo(timeZones, []);
  const now = useNow(60_000);
  const zone = values.time_zone ?? organization.time_zone;
  const later = values.scheduled_at !== null;
  const wall = values.scheduled_at ? wallTime(values.scheduled_at, zone) : '';
  return (
    <div className={classes.narrow}>
      {/* One that is scheduled keeps its time until it is taken off the schedule. */}
      {campaign.status === 'draft' && (
        <Radio.Group
          label="When?"
          value={later ? 'later' : 'now'}
          onChange={(value) =>
            set({
              // The next full hour at least an hour away, so that there is time to look once more.
              scheduled_at:
                value === 'later' ? new Date(Math.ceil((now + HOUR) / HOUR) * HOUR).toISOString() : null,
              time_zone: zone,
            })
          }
        >
          <Stack gap={4} mt={8}>
            <Radio
              value="now"
              className={classes.radio}
              label="Send now"
              description="As soon as you press Send on the last page."
            />
            <Radio value="later" className={classes.radio} label="Schedule for later" />
          </Stack>
        </Radio.Group>
      )}
      {later && (
        <div>
          <Group gap="sm" align="flex-start">
            <TextInput
              type="datetime-local"
              label="Date and time"
              size="md"
              className={classes.grow}
              value={wall}
              min={wallTime(now, zone)}
              onChange={(event) => {
                const moment = momentOf(event.currentTarget.value, zone);
                if (moment) set({ scheduled_at: moment });
              }}
              error={
                values.scheduled_at && Date.parse(values.scheduled_at) <= now
                  ? 'That time has passed. Choose a later one.'
                  : problem
              }
            />
            <Select
              label="Time zone"
              size="md"
              className={classes.grow}
              searchable
              allowDeselect={false}
              data={zones}
              value={zone}
              // The clock on the wall stays as it was chosen.
              onChange={(next) =>
                next && set({ time_zone: next, scheduled_at: momentOf(wall, next) ?? values.scheduled_at })
              }
            />
          </Group>
          {values.scheduled_at && (
            <Text size="sm" c="dimmed" mt={6} role="status">
              {zonedWords(values.scheduled_at, zone)} ({offsetWords(zone, Date.parse(values.scheduled_at))})
            </Text>
          )}
        </div>
      )}
      <section className={classes.options} aria-label="Quiet hours">
        <Switch
          checked={values.quiet_hours !== null}
          onChange={(event) =>
            set({ quiet_hours: event.currentTarget.checked ? { from: '21:00', to: '09:00' } : null })
          }
          label="Quiet hours"
          description="Nothing is sent between these times; the rest goes on afterwards."
        />
        {values.quiet_hours && (
          <>
            <Group gap="sm">
              {(['from', 'to'] as const).map((end) => (
                <TextInput
                  key={end}
                  type="time"
                  label={end === 'from' ? 'From' : 'To'}
                  w={150}
                  value={values.quiet_hours?.[end] ?? ''}
                  onChange={(event) => {
                    const { value } = event.currentTarget;
                    if (values.quiet_hours && value)
                      set({ quiet_hours: { ...values.quiet_hours, [end]: value } });
                  }}
                />
              ))}
            </Group>
            <Text size="sm" c="dimmed">
              As clocks show it in {placeName(zone)}.
            </Text>
          </>
        )}
      </section>
      <section className={classes.options} aria-label="Messages nobody can be sure of">
        <Radio.Group
          label="If we can’t tell whether a message was sent"
          description="Rarely, the connection to WhatsApp breaks at the very moment of sending. Usually WhatsApp tells us soon after. If it never does:"
          value={values.uncertain_policy}
          onChange={(value) => set({ uncertain_policy: value === 'repeat' ? 'repeat' : 'miss' })}
        >
          <Stack gap={4} mt={8}>
            <Radio
              value="miss"
              className={classes.radio}
              label="Rather miss somebody than write twice"
              description="Best for offers and news."
            />
            <Radio
              value="repeat"
              className={classes.radio}
              label="Rather write twice than miss somebody"
              description="Best for reminders and anything people must know."
            />
          </Stack>
        </Radio.Group>
        <NumberField
          label="Decide after"
          w={150}
          min={1}
          max={168}
          suffix=" hours"
          allowDecimal={false}
          value={values.uncertain_hours}
          onChange={(uncertain_hours) => set({ uncertain_hours })}
        />
      </section>
      <section className={classes.options} aria-label="Sales opportunities">
        <NumberField
          label="Count sales opportunities for"
          description="A booking or purchase this long after the message counts as the campaign’s."
          w={260}
          min={1}
          max={90}
          suffix=" days"
          allowDecimal={false}
          value={values.attribution_days}
          onChange={(attribution_days) => set({ attribution_days })}
        />
      </section>
      {values.quiet_hours && values.quiet_hours.from === values.quiet_hours.to && (
        <Alert color="yellow" variant="light" icon={<IconClock aria-hidden />}>
          Quiet hours from and to the same time would be the whole day.
        </Alert>
      )}
    </div>
  );
}
