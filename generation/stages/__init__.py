"""The five stages of a job, each with a typed input and output; ``generation.io.run`` drives them in this order.

``prepare`` the context, ``determine`` the strategy, ``generate``, ``post_process``, ``integrate``. What a stage
needs of the outside comes in as a port, so that each runs in tests without a model and without a room.
"""
