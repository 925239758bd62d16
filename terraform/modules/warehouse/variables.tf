variable "name" {
  description = "Name of the database and prefix of its parts' names."
  type        = string
}

variable "vpc_id" {
  description = "ID of the VPC."
  type        = string
}

variable "cidr" {
  description = "CIDR block of the network, the only one with access to Postgres."
  type        = string
}

variable "subnets" {
  description = "IDs of private subnets in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnets) >= 2
    error_message = "RDS requires subnets in at least two availability zones."
  }
}

variable "instance_class" {
  description = "Instance class of the database."
  type        = string
}

variable "protected" {
  description = "Whether the database spans two zones, has deletion protection, and leaves a final snapshot."
  type        = bool
}

variable "engine_version" {
  description = "Major version of Postgres."
  type        = string
}

variable "require_tls" {
  description = "Whether connections must use TLS, and may then use IAM tokens."
  type        = bool
}

variable "queue" {
  description = "Name of the queue in which S3 tells of exports."
  type        = string
}

variable "queue_policy" {
  description = "Policy of the queue, as JSON: S3 may send to it."
  type        = string
}

variable "results_bucket" {
  description = "Name of the bucket of exports."
  type        = string
}

variable "events" {
  description = "Of which objects S3 tells: an id, a prefix and a suffix of their keys each."
  type        = list(object({ id = string, prefix = string, suffix = string }))
}
