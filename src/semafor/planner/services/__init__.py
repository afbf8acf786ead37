"""What can be called, and the instances behind it: from Services, ServiceEntries and their workloads."""
