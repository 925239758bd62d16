# Where resources were before.

moved {
  from = module.airflow.aws_ecr_repository.this
  to   = module.images.aws_ecr_repository.this["airflow"]
}

moved {
  from = module.app[0].aws_ecr_repository.this
  to   = module.images.aws_ecr_repository.this["app"]
}
