import { CloseButton, Group, NumberInput, Text } from '@mantine/core';
import type { Price } from './queries';

interface PriceRowProps {
  label: string;
  price: Price;
  disabled: boolean;
  onChange: (price: Price) => void;
  onRemove?: () => void;
}

/** What one message costs in one country, by kind. */
export function PriceRow({ label, price, disabled, onChange, onRemove }: PriceRowProps) {
  const field = (kind: keyof Price, name: string) => (
    <NumberInput
      label={name}
      aria-label={`${name}, ${label}`}
      w={120}
      min={0}
      max={100}
      decimalScale={4}
      hideControls
      disabled={disabled}
      value={price[kind]}
      onChange={(amount) => typeof amount === 'number' && onChange({ ...price, [kind]: amount })}
    />
  );
  return (
    <Group gap="sm" align="flex-end">
      <Text w={{ base: '100%', sm: 160 }} truncate title={label} pb={{ sm: 8 }}>
        {label}
      </Text>
      {field('marketing', 'Marketing')}
      {field('utility', 'Utility')}
      {onRemove && !disabled && (
        <CloseButton size={36} aria-label={`Remove the prices of ${label}`} onClick={onRemove} />
      )}
    </Group>
  );
}
