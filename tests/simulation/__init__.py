"""Years of faults in minutes: the real engine, webhook and poller in one process.

Every process of the product runs as fibers under one seeded scheduler with a virtual clock; every
call through a port is a point at which others may run, a fault may strike, and the process may die.
`python -m tests.simulation --help` runs any number of seeds.
"""
