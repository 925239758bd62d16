variable "names" {
  description = "Names from resources.json with environment and account filled in."
  type        = object({ roles = map(string) })
}

variable "policy" {
  description = "Policy of Airflow's role, as JSON."
  type        = string
}

variable "trust" {
  description = "Trust policy of Airflow's role, as JSON."
  type        = string
}

variable "mwaa" {
  description = "MWAA environment: version, class, maximum number of workers and log level; null creates none."
  type = object({
    version     = string
    class       = string
    max_workers = number
    log_level   = string
  })
}

variable "mwaa_policy" {
  description = "Additional policy of Airflow's role as MWAA's execution role, as JSON."
  type        = string
}

variable "mwaa_trust" {
  description = "Trust policy of Airflow's role as MWAA's execution role, as JSON."
  type        = string
}

variable "secrets_backend_kwargs" {
  description = "How Airflow finds its connections in Secrets Manager, as JSON."
  type        = string
}

variable "artifacts_bucket_arn" {
  description = "ARN of the versioned bucket from which MWAA loads DAGs, plugins and requirements."
  type        = string
}

variable "vpc_id" {
  description = "ID of the VPC."
  type        = string
}

variable "subnets" {
  description = "IDs of private subnets with outbound access, in at least two zones."
  type        = list(string)
}

variable "permissions_boundary" {
  description = "The ARN of the permissions boundary of every role, or null for none."
  type        = string
  default     = null
}
