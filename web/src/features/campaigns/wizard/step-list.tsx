import { IconCheck } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type Step, stepNames, steps } from './draft';
import classes from './wizard.module.css';

interface StepListProps {
  current: Step;
  /** Absent while there is no campaign yet: nothing leads anywhere. */
  campaignId?: string;
  isDone?: (step: Step) => boolean;
}

/** The five steps; every one can be opened at any time, as a draft may be unfinished. */
export function StepList({ current, campaignId, isDone }: StepListProps) {
  return (
    <nav aria-label="Steps">
      <ol className={classes.steps}>
        {steps.map((step, index) => {
          const done = isDone?.(step) ?? false;
          const inside = (
            <>
              <span className={classes.stepMark} data-done={done || undefined} aria-hidden>
                {done && step !== current ? <IconCheck size={14} /> : index + 1}
              </span>
              <span className={classes.stepName}>{stepNames[step]}</span>
            </>
          );
          const state = step === current ? { 'aria-current': 'step' as const } : {};
          return (
            <li key={step} className={classes.step}>
              {campaignId ? (
                <Link
                  to="/campaigns/$campaignId/edit"
                  params={{ campaignId }}
                  search={{ step }}
                  className={classes.stepLink}
                  data-current={step === current || undefined}
                  aria-label={`${index + 1}. ${stepNames[step]}${done ? ', complete' : ''}`}
                  {...state}
                >
                  {inside}
                </Link>
              ) : (
                <span className={classes.stepLink} data-current={step === current || undefined} {...state}>
                  {inside}
                </span>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
