import { Button, Group, Select, Skeleton, Stack, Switch, Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useMemo, useState } from 'react';
import { NumberField } from '@/components/number-field';
import { LoadProblem, Problem } from '@/components/problem';
import { countries } from '@/features/tenancy/places';
import { useOrg } from '@/features/tenancy/queries';
import { ConversionSecret } from './conversion-secret';
import { PriceRow } from './price-row';
import {
  campaignSettingsQuery,
  currencies,
  isUnfinished,
  type Price,
  type CampaignSettings as Settings,
  saveCampaignSettings,
} from './queries';

/** How much marketing a person gets at most, what messages cost, and who may report sales. */
export function CampaignSettings() {
  const { orgId } = useOrg();
  const settings = useQuery(campaignSettingsQuery(orgId));
  if (settings.isError && !settings.data)
    return (
      <LoadProblem error={settings.error} what="these settings" onRetry={() => void settings.refetch()} />
    );
  if (!settings.data) return <Skeleton height={320} radius="md" role="status" aria-label="Loading" />;
  return (
    <Stack maw={620} gap="xl">
      <Form key={JSON.stringify(settings.data)} saved={settings.data} />
      <ConversionSecret />
    </Stack>
  );
}

const free: Price = { marketing: 0, utility: 0 };
/** Of a country that costs what everywhere else does. */
const notGiven: Price = { marketing: null, utility: null };

function Form({ saved }: { saved: Settings }) {
  const org = useOrg();
  const queryClient = useQueryClient();
  const manage = org.can('settings.manage');
  const [values, setValues] = useState(saved);
  const { marketing_cap: cap, message_prices: prices } = values;
  const isDirty = JSON.stringify(values) !== JSON.stringify(saved);
  const save = useMutation({
    mutationFn: () => saveCampaignSettings(org.orgId, values),
    onSuccess: async () => {
      notifications.show({ color: 'green', message: 'Saved.' });
      await queryClient.invalidateQueries({ queryKey: campaignSettingsQuery(org.orgId).queryKey });
    },
  });
  const set = (change: Partial<Settings>) => setValues((old) => ({ ...old, ...change }));
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (isUnfinished(values))
      event.currentTarget.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    else save.mutate();
  };
  const places = useMemo(countries, []);
  const named = Object.keys(prices?.countries ?? {});
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="xl">
        <section aria-labelledby="cap-title">
          <Title order={3} fz="md" id="cap-title" mb={8}>
            Marketing limit
          </Title>
          <Switch
            disabled={!manage}
            checked={cap !== null}
            onChange={(event) =>
              set({ marketing_cap: event.currentTarget.checked ? { messages: 2, days: 7 } : null })
            }
            label="Nobody gets more marketing than this"
            description="Campaigns leave out whoever has had enough. Answers and utility messages don’t count."
          />
          {cap && (
            <Group gap="sm" mt="sm" align="flex-start">
              <NumberField
                label="Messages"
                w={120}
                min={1}
                max={100}
                allowDecimal={false}
                disabled={!manage}
                value={cap.messages}
                onChange={(messages) => set({ marketing_cap: { ...cap, messages } })}
              />
              <NumberField
                label="in this many days"
                w={150}
                min={1}
                max={90}
                allowDecimal={false}
                disabled={!manage}
                value={cap.days}
                onChange={(days) => set({ marketing_cap: { ...cap, days } })}
              />
            </Group>
          )}
        </section>
        <section aria-labelledby="prices-title">
          <Title order={3} fz="md" id="prices-title" mb={8}>
            Prices of messages
          </Title>
          <Switch
            disabled={!manage}
            checked={prices !== null}
            onChange={(event) =>
              set({
                message_prices: event.currentTarget.checked
                  ? { currency: 'USD', default: free, countries: {} }
                  : null,
              })
            }
            label="Estimate what campaigns cost"
            description="Copy the prices from Meta’s rate card. They are used for estimates only."
          />
          {prices && (
            <Stack gap="sm" mt="sm">
              <Select
                label="Currency"
                w={150}
                searchable
                allowDeselect={false}
                disabled={!manage}
                data={currencies}
                value={prices.currency}
                onChange={(currency) => currency && set({ message_prices: { ...prices, currency } })}
              />
              <PriceRow
                label="Everywhere else"
                price={prices.default}
                disabled={!manage}
                onChange={(price) => set({ message_prices: { ...prices, default: price } })}
              />
              {named.map((country) => (
                <PriceRow
                  key={country}
                  label={places.find(({ value }) => value === country)?.label ?? country}
                  price={prices.countries[country] ?? notGiven}
                  otherwise={prices.default}
                  disabled={!manage}
                  onChange={(price) =>
                    set({
                      message_prices: { ...prices, countries: { ...prices.countries, [country]: price } },
                    })
                  }
                  onRemove={() => {
                    const { [country]: _, ...rest } = prices.countries;
                    set({ message_prices: { ...prices, countries: rest } });
                  }}
                />
              ))}
              {named.length > 0 && (
                <Text size="sm" c="dimmed">
                  A price left empty is the one of everywhere else.
                </Text>
              )}
              {manage && (
                <Select
                  aria-label="Add a country"
                  placeholder="Add a country"
                  leftSection={<IconPlus size={16} aria-hidden />}
                  w={240}
                  searchable
                  value={null}
                  data={places.filter(({ value }) => !named.includes(value))}
                  onChange={(country) =>
                    country &&
                    set({
                      message_prices: {
                        ...prices,
                        countries: { ...prices.countries, [country]: prices.default },
                      },
                    })
                  }
                />
              )}
            </Stack>
          )}
        </section>
        <Problem error={save.error} />
        {manage && (
          <Group>
            <Button type="submit" loading={save.isPending} disabled={!isDirty}>
              Save changes
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}
