variable "names" {
  description = "The names of resources.json, filled in."
  type = object({
    buckets           = map(string)
    roles             = map(string)
    metrics_namespace = string
    streamer = object({
      name              = string
      service           = string
      document          = string
      release_document  = string
      backfill_document = string
    })
  })
}

variable "environment" {
  description = "The environment's name, for the streamer's own settings."
  type        = string
}

variable "account" {
  description = "The account's 12 digits."
  type        = string
}

variable "region" {
  description = "The region."
  type        = string
}

variable "zone" {
  description = "The availability zone of the instance and of its volume."
  type        = string
}

variable "subnet" {
  description = "Id of the subnet, in that zone."
  type        = string
}

variable "security_group" {
  description = "Id of the security group; it must have no inbound rule."
  type        = string
}

variable "instance_type" {
  description = "An arm64 instance type."
  type        = string
}

variable "image_id" {
  description = "The image; null takes the newest Amazon Linux 2023 for arm64."
  type        = string
  default     = null
}

variable "instance_tags" {
  description = "Tags of the instance beside its name."
  type        = map(string)
  default     = {}
}

variable "state_gib" {
  description = "GiB of the volume that keeps cursor, journal and spool when the instance is replaced."
  type        = number
}

variable "release" {
  description = "The published version that a host installs while none was deployed (`postrank deploy streamer`)."
  type        = string
}

variable "config" {
  description = "streamer.toml."
  type        = string
}

variable "policy" {
  description = "What the streamer may do, as JSON."
  type        = string
}

variable "host_policy" {
  description = "What its host may do beside it, as JSON."
  type        = string
}

variable "trust" {
  description = "Who may assume the streamer's role, as JSON."
  type        = string
}

variable "document" {
  description = "The SSM document that acts on the service, as JSON."
  type        = string
}

variable "release_document" {
  description = "The SSM document that installs and activates releases, as JSON."
  type        = string
}

variable "deployer_policy" {
  description = "What whoever deploys may do, as JSON."
  type        = string
}

variable "deployer_trust" {
  description = "Who may become the deployer, as JSON."
  type        = string
}

variable "backfill_document" {
  description = "The SSM document that reads a span of time again, as JSON."
  type        = string
}

variable "permissions_boundary" {
  description = "The ARN of the permissions boundary of every role, or null for none."
  type        = string
  default     = null
}
