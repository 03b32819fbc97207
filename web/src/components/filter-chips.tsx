import { CloseButton } from '@mantine/core';
import classes from './filter-chips.module.css';

/** A filter as it stands above a list; `without` is the change of the address that takes it away. */
export interface Chip<Change> {
  key: string;
  label: string;
  without: Change;
}

interface FilterChipsProps<Change> {
  chips: Chip<Change>[];
  onRemove: (without: Change) => void;
  onClear?: () => void;
}

export function FilterChips<Change>({ chips, onRemove, onClear }: FilterChipsProps<Change>) {
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
      {onClear && chips.length > 1 && (
        <li>
          <button type="button" className="op-link-button" onClick={onClear}>
            Clear all
          </button>
        </li>
      )}
    </ul>
  );
}
