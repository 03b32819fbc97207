import { CloseButton } from '@mantine/core';
import classes from './contacts.module.css';
import type { Chip, Filters } from './filters';

interface FilterChipsProps {
  chips: Chip[];
  onRemove: (without: Partial<Filters>) => void;
  onClear: () => void;
}

export function FilterChips({ chips, onRemove, onClear }: FilterChipsProps) {
  if (chips.length === 0) return null;
  return (
    <ul className={classes.chips} aria-label="Filters">
      {chips.map((chip) => (
        <li key={chip.key} className={classes.chip}>
          <span className={classes.chipLabel}>{chip.label}</span>
          <CloseButton
            size="sm"
            iconSize={14}
            radius="xl"
            aria-label={`Remove filter ${chip.label}`}
            onClick={() => onRemove(chip.without)}
          />
        </li>
      ))}
      {chips.length > 1 && (
        <li>
          <button type="button" className="op-link-button" onClick={onClear}>
            Clear all
          </button>
        </li>
      )}
    </ul>
  );
}
