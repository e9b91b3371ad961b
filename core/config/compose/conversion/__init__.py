"""From Compose files to the equivalent `compartment.yml`, as far as there is one."""
