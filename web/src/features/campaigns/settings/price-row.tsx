import { CloseButton, Group, Text } from '@mantine/core';
import { NumberField } from '@/components/number-field';
import { HIGHEST_PRICE, type Price } from './queries';

interface PriceRowProps {
  label: string;
  price: Price;
  /** What a price that is not given is instead; absent where each has to be given. */
  otherwise?: Price;
  disabled: boolean;
  onChange: (price: Price) => void;
  onRemove?: () => void;
}

/** What one message costs in one country, by kind. */
export function PriceRow({ label, price, otherwise, disabled, onChange, onRemove }: PriceRowProps) {
  const field = (kind: keyof Price, name: string) => (
    <NumberField
      label={name}
      aria-label={`${name}, ${label}`}
      w={120}
      min={0}
      max={HIGHEST_PRICE}
      decimalScale={4}
      hideControls
      disabled={disabled}
      placeholder={otherwise?.[kind]?.toString()}
      missing={otherwise ? null : 'Write a price.'}
      value={price[kind]}
      onChange={(amount) => onChange({ ...price, [kind]: amount })}
    />
  );
  return (
    <Group gap="sm" align="flex-start">
      <Text w={{ base: '100%', sm: 160 }} truncate title={label} pt={{ sm: 31 }}>
        {label}
      </Text>
      {field('marketing', 'Marketing')}
      {field('utility', 'Utility')}
      {onRemove && !disabled && (
        <CloseButton mt={25} size={36} aria-label={`Remove the prices of ${label}`} onClick={onRemove} />
      )}
    </Group>
  );
}
