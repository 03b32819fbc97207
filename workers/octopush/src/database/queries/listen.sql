-- LISTEN takes no parameters; workers poll behind it.
listen octopush_apply; listen octopush_send; listen octopush_maintenance; listen octopush_campaigns; listen octopush_templates
