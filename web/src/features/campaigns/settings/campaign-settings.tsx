import {
  Alert,
  Button,
  Code,
  CopyButton,
  Group,
  Modal,
  NumberInput,
  Select,
  Skeleton,
  Stack,
  Switch,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useMemo, useState } from 'react';
import { LoadProblem, Problem } from '@/components/problem';
import { countries } from '@/features/tenancy/places';
import { useOrg } from '@/features/tenancy/queries';
import { PriceRow } from './price-row';
import {
  campaignSettingsQuery,
  currencies,
  type Price,
  rotateConversionSecret,
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

const noPrice: Price = { marketing: 0, utility: 0 };

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
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
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
            <Group gap="sm" mt="sm">
              <NumberInput
                label="Messages"
                w={120}
                min={1}
                max={100}
                clampBehavior="strict"
                allowDecimal={false}
                disabled={!manage}
                value={cap.messages}
                onChange={(messages) =>
                  typeof messages === 'number' && set({ marketing_cap: { ...cap, messages } })
                }
              />
              <NumberInput
                label="in this many days"
                w={150}
                min={1}
                max={90}
                clampBehavior="strict"
                allowDecimal={false}
                disabled={!manage}
                value={cap.days}
                onChange={(days) => typeof days === 'number' && set({ marketing_cap: { ...cap, days } })}
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
                  ? { currency: 'USD', default: noPrice, countries: {} }
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
                  price={prices.countries[country] ?? noPrice}
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

function ConversionSecret() {
  const org = useOrg();
  const [asking, setAsking] = useState(false);
  const [secret, setSecret] = useState<string>();
  const rotate = useMutation({
    mutationFn: () => rotateConversionSecret(org.orgId),
    onSuccess: (made) => {
      setAsking(false);
      setSecret(made);
    },
  });
  return (
    <section aria-labelledby="conversions-title">
      <Title order={3} fz="md" id="conversions-title" mb={8}>
        Sales reported by your website
      </Title>
      <Stack gap="sm" align="flex-start">
        <Text c="dimmed">
          Your booking page or shop can tell OctoPush of a sale, so that campaigns show what they earned. It
          sends <Code>POST /conversions/{org.orgId}</Code> to the address of your links, signed with a secret.
        </Text>
        {org.can('settings.manage') ? (
          <Button variant="default" leftSection={<IconKey size={18} />} onClick={() => setAsking(true)}>
            Make a new secret
          </Button>
        ) : (
          <Text size="sm">An owner or admin can make the secret.</Text>
        )}
      </Stack>
      {asking && (
        <Modal
          opened
          onClose={() => setAsking(false)}
          title="Make a new secret?"
          closeButtonProps={{ 'aria-label': 'Close' }}
        >
          <Stack>
            <Text>
              A secret made before stops working at once. Sales reported with it are refused until your
              website has the new one.
            </Text>
            <Problem error={rotate.error} />
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
                Keep the old one
              </Button>
              <Button color="red" loading={rotate.isPending} onClick={() => rotate.mutate()}>
                Make a new secret
              </Button>
            </Group>
          </Stack>
        </Modal>
      )}
      {secret && (
        <Modal
          opened
          onClose={() => setSecret(undefined)}
          title="Your new secret"
          closeOnClickOutside={false}
          closeButtonProps={{ 'aria-label': 'Close' }}
        >
          <Stack>
            <Alert color="yellow" variant="light">
              Copy it now: it is shown this once.
            </Alert>
            <TextInput label="Secret" readOnly value={secret} ff="monospace" />
            <Group justify="flex-end">
              <CopyButton value={secret}>
                {({ copied, copy }) => <Button onClick={copy}>{copied ? 'Copied' : 'Copy'}</Button>}
              </CopyButton>
            </Group>
          </Stack>
        </Modal>
      )}
    </section>
  );
}
